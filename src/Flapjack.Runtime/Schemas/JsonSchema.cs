using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Schemas;

/// <summary>
/// A JSON Schema (draft 2020-12), parsed once and used for many values. <c>format</c> and content keywords are annotations; references stay inside
/// the document; <c>$vocabulary</c> is not read. Schemas may come from strangers: steps and depth are limited.
/// </summary>
public sealed class JsonSchema
{
    /// <summary>Subschemas applied to one value, at most.</summary>
    public const int MaxSteps = 200_000;

    private static readonly ConditionalWeakTable<AIFunctionDeclaration, JsonSchema> Parsed = [];
    private readonly SchemaNode _root;
    private readonly SchemaNeeds _needs;

    private JsonSchema(JsonElement schema)
    {
        var parser = new SchemaParser(schema);
        _root = parser.Parse();
        _needs = parser.Needs;
        Problems = parser.Problems;
    }

    /// <summary>What in the schema cannot be checked and is therefore ignored: references that lead nowhere, unsupported patterns, keywords of a wrong type.</summary>
    public IReadOnlyList<SchemaProblem> Problems { get; }

    /// <summary>Parses a schema. Never throws for what a schema says; see <see cref="Problems"/>.</summary>
    public static JsonSchema Parse(JsonElement schema) => new(schema);

    /// <summary>The parsed schema of a function's arguments, kept as long as the function lives.</summary>
    internal static JsonSchema Of(AIFunctionDeclaration function) => Parsed.GetValue(function, static declared => new(declared.JsonSchema));

    /// <summary>Checks a value.</summary>
    public SchemaResult Validate(JsonElement value)
    {
        var check = new SchemaCheck(_needs);
        try
        {
            var valid = _root.Accepts(value, check);
            if (check.Exhausted) return new([new("", "the schema is too complex to check this value")]);
            return valid ? SchemaResult.Valid : new(check.Errors);
        }
        catch (InvalidOperationException)
        {
            // The reader refuses text with half a surrogate pair.
            return new([new("", "a string is not valid Unicode")]);
        }
    }
}

/// <summary>The outcome of a check.</summary>
/// <param name="Errors">The first ten mistakes; empty when the value is valid.</param>
public sealed record SchemaResult(IReadOnlyList<SchemaError> Errors)
{
    internal static readonly SchemaResult Valid = new([]);

    /// <summary>True when the value meets the schema.</summary>
    public bool IsValid => Errors.Count == 0;
}

/// <summary>One mistake.</summary>
/// <param name="Path">JSON pointer of the value at fault; empty for the whole.</param>
/// <param name="Message">What is wrong with it.</param>
public sealed record SchemaError(string Path, string Message);

/// <summary>A keyword that cannot be checked.</summary>
/// <param name="Path">JSON pointer of the place in the schema; empty for its root.</param>
/// <param name="Message">What is the matter with it.</param>
/// <param name="IsMistake">False when the schema is right and only this implementation cannot check it.</param>
public sealed record SchemaProblem(string Path, string Message, bool IsMistake);
