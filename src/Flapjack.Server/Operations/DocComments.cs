using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Flapjack.Server.Operations;

/// <summary>Reads the doc comments of this assembly from the file the compiler writes beside it; the framework's own reader leaves private handlers out.</summary>
internal sealed partial class DocComments
{
    private readonly Dictionary<string, string> _summaries;

    public DocComments()
    {
        var file = Path.Combine(AppContext.BaseDirectory, typeof(DocComments).Assembly.GetName().Name + ".xml");
        _summaries = XDocument.Load(file).Descendants("member")
            .Where(m => m.Element("summary") is not null)
            .ToDictionary(m => m.Attribute("name")!.Value, m => Text(m.Element("summary")!), StringComparer.Ordinal);
    }

    /// <summary>The comment of a handler. Handlers of one class have different names, so the parameters need not be compared.</summary>
    public string? Of(MethodInfo method)
    {
        var name = $"M:{Name(method.DeclaringType!)}.{method.Name}";
        return _summaries.FirstOrDefault(s => s.Key == name || s.Key.StartsWith(name + "(", StringComparison.Ordinal)).Value;
    }

    public string? Of(PropertyInfo property) => _summaries.GetValueOrDefault($"P:{Name(property.DeclaringType!)}.{property.Name}");

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string Text(XElement element)
    {
        var parts = element.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" or "paramref" } see => $"`{LastName(see)}`",
            XElement other => Text(other),
            _ => "",
        });
        return Blanks().Replace(string.Concat(parts), " ").Trim();
    }

    private static string LastName(XElement see) => (see.Attribute("cref") ?? see.Attribute("name") ?? see.Attribute("langword"))!.Value.Split('.', ':')[^1];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
