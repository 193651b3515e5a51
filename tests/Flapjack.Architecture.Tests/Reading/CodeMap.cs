using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Flapjack.Architecture.Tests.Reading;

/// <summary>One type uses another. Both are outermost types, so a lambda or an async method counts as the class it is written in.</summary>
/// <param name="Member">The method or field used; null where only the type itself is named.</param>
/// <param name="Handled">The user holds or touches such a value itself; false where the type is only part of something it passes on, such as a method given to a registration.</param>
internal sealed record Use(CodeType From, string To, string? Member, bool Handled);

/// <summary>An outermost type of the assembly that was read.</summary>
/// <param name="File">The name of its source file, or of the first one for a partial type.</param>
internal sealed record CodeType(string FullName, string Namespace, string Name, string File);

/// <summary>The types of one assembly below one root namespace, and everything they use, read from IL.</summary>
internal sealed class CodeMap
{
    private readonly Dictionary<string, CodeType> _types = [];
    private readonly HashSet<Use> _uses = [];

    private CodeMap(string root, ModuleDefinition module)
    {
        Root = root;
        Module = module;
    }

    public string Root { get; }
    public ModuleDefinition Module { get; }
    public IReadOnlyDictionary<string, CodeType> Types => _types;
    public IReadOnlySet<Use> Uses => _uses;

    /// <param name="assembly">File name without extension, beside the tests.</param>
    /// <param name="root">Namespace whose children are the folders of the project.</param>
    /// <param name="sources">Folder of the sources, from the root of the repository.</param>
    public static CodeMap Read(string assembly, string root, string sources)
    {
        var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        var map = new CodeMap(root, module);
        var files = SourceIndex.Read(sources);
        // The program's own class is in no namespace; generated code lives in namespaces of its makers.
        foreach (var type in module.Types.Where(type => type.Name == "Program" || type.Namespace == root || type.Namespace.StartsWith(root + ".", StringComparison.Ordinal)))
        {
            var file = files.GetValueOrDefault(type.FullName) ?? Plain(type.Name) + ".cs";
            map._types.Add(type.FullName, new CodeType(type.FullName, type.Namespace, Plain(type.Name), file));
        }

        foreach (var type in map._types.Values)
        {
            map.ReadType(type, module.GetType(type.FullName));
        }

        return map;
    }

    /// <summary>The first namespace segment below the root, the folder of the project: <c>Agents</c>, <c>Platform</c>. Empty for the root itself and for foreign types.</summary>
    public string FolderOf(string fullName)
    {
        if (!_types.TryGetValue(fullName, out var type) || type.Namespace.Length <= Root.Length)
        {
            return "";
        }

        return type.Namespace[(Root.Length + 1)..].Split('.')[0];
    }

    public static string Plain(string name) => name.Split('`')[0];

    private void ReadType(CodeType from, TypeDefinition type)
    {
        // The compiler's cache of method groups: written nowhere in the source.
        if (type.Name == "<>O")
        {
            return;
        }

        Add(from, type.BaseType);
        AddAll(from, type.Interfaces.Select(i => i.InterfaceType));
        AddAll(from, type.Fields.Select(f => f.FieldType));
        AddAll(from, type.Properties.Select(p => p.PropertyType));
        AddAll(from, type.GenericParameters.SelectMany(g => g.Constraints).Select(c => c.ConstraintType));
        AddAttributes(from, [type, .. type.Fields, .. type.Properties, .. type.Methods]);
        foreach (var method in type.Methods)
        {
            ReadMethod(from, method);
        }

        foreach (var nested in type.NestedTypes)
        {
            ReadType(from, nested);
        }
    }

    private void ReadMethod(CodeType from, MethodDefinition method)
    {
        Add(from, method.ReturnType);
        AddAll(from, method.Parameters.Select(p => p.ParameterType));
        AddAll(from, method.GenericParameters.SelectMany(g => g.Constraints).Select(c => c.ConstraintType));
        if (!method.HasBody)
        {
            return;
        }

        AddAll(from, method.Body.Variables.Select(v => v.VariableType));
        AddAll(from, method.Body.ExceptionHandlers.Select(h => h.CatchType));
        foreach (var instruction in method.Body.Instructions)
        {
            ReadOperand(from, instruction);
        }
    }

    private void ReadOperand(CodeType from, Instruction instruction)
    {
        switch (instruction.Operand)
        {
            case TypeReference type:
                Add(from, type, handled: false);
                break;
            case MethodReference method:
                Add(from, method.DeclaringType, method.Name, handled: false);
                Add(from, method.ReturnType, handled: false);
                AddAll(from, method.Parameters.Select(p => p.ParameterType), handled: false);
                AddAll(from, (method as GenericInstanceMethod)?.GenericArguments ?? [], handled: false);
                break;
            case FieldReference field:
                Add(from, field.DeclaringType, field.Name, handled: false);
                Add(from, field.FieldType, handled: false);
                break;
        }
    }

    private void AddAttributes(CodeType from, IEnumerable<ICustomAttributeProvider> providers)
    {
        foreach (var attribute in providers.SelectMany(provider => provider.CustomAttributes))
        {
            Add(from, attribute.AttributeType);
            AddAll(from, attribute.ConstructorArguments.Select(argument => argument.Value as TypeReference));
        }
    }

    private void AddAll(CodeType from, IEnumerable<TypeReference?> types, bool handled = true)
    {
        foreach (var type in types)
        {
            Add(from, type, handled: handled);
        }
    }

    private void Add(CodeType from, TypeReference? type, string? member = null, bool handled = true)
    {
        switch (type)
        {
            case null or GenericParameter:
                return;
            case GenericInstanceType generic:
                AddAll(from, generic.GenericArguments, handled);
                break;
        }

        if (type is TypeSpecification { ElementType: var element })
        {
            Add(from, element, member, handled);
            return;
        }

        var outermost = type;
        while (outermost.DeclaringType is not null)
        {
            outermost = outermost.DeclaringType;
        }

        if (outermost.FullName != from.FullName)
        {
            _uses.Add(new Use(from, outermost.FullName, member, handled || (member is not null && outermost == type)));
        }
    }
}
