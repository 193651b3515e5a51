using System.Globalization;
using System.Text;
using System.Text.Json;
using Flapjack.Runtime.Schemas;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads;

/// <summary>The format a message wants its answer in. A message that wants text has none.</summary>
/// <param name="Schema">JSON Schema of the answer; null = any JSON value.</param>
/// <param name="Name">What providers are told the schema is called.</param>
/// <param name="Strict">Whether the provider is asked to enforce the schema where it can; the answer is checked in any case.</param>
internal sealed record ResponseFormat(JsonElement? Schema, string Name, bool Strict)
{
    private const int SchemaLimit = 64 * 1024, MaxProblems = 10;
    private const string Field = "responseFormat";

    /// <summary>Any JSON value.</summary>
    public static readonly ResponseFormat Json = new(null, "", false);

    public static ResponseFormat? From(ResponseFormatRequest? request, FieldErrors errors)
    {
        if (request is null) return null;
        var type = request.Type.Value;
        if (type is null) errors.Add($"{Field}.type", "is required");
        errors.OneOf($"{Field}.type", type, "text", "json", "json_schema");
        if (type == "json_schema") return OfSchema(Field, request.Schema.Value, request.Name.Value, request.Strict.Value, errors);
        CheckName(Field, request.Name.Value, errors);
        return type == "json" ? Json : null;
    }

    /// <summary>JSON of a schema.</summary>
    /// <param name="field">What the request calls the object that holds the following.</param>
    /// <param name="schema">As sent.</param>
    /// <param name="name">As sent.</param>
    /// <param name="strict">As sent.</param>
    /// <param name="errors">Where faults go.</param>
    public static ResponseFormat OfSchema(string field, JsonElement? schema, string? name, bool? strict, FieldErrors errors)
    {
        CheckName(field, name, errors);
        return new(SchemaOf($"{field}.schema", schema, errors), name ?? "answer", strict ?? true);
    }

    public void ApplyTo(ChatOptions options)
    {
        options.ResponseFormat = Schema is { } schema ? ChatResponseFormat.ForJsonSchema(schema, Name) : ChatResponseFormat.Json;
        (options.AdditionalProperties ??= [])["strictJsonSchema"] = Strict;
    }

    public AnswerFormat ToAnswerFormat() => Schema is { } schema ? AnswerFormat.Of(schema) : AnswerFormat.AnyJson;

    private static void CheckName(string field, string? name, FieldErrors errors)
    {
        if (name is not null && !FieldRules.IsToolName(name)) errors.Add($"{field}.name", "must match ^[A-Za-z0-9_-]{1,64}$");
    }

    private static JsonElement? SchemaOf(string field, JsonElement? sent, FieldErrors errors)
    {
        if (sent is not { ValueKind: not JsonValueKind.Null } schema)
        {
            errors.Add(field, "is required");
            return null;
        }
        var before = errors.Count;
        errors.Object(field, schema, SchemaLimit);
        if (errors.Count > before) return null;
        foreach (var problem in JsonSchema.Parse(schema).Problems.Where(problem => problem.IsMistake).Take(MaxProblems)) errors.Add(PathOf(field, schema, problem.Path), problem.Message);
        return schema;
    }

    // A JSON pointer as fields are spelled: .properties.a, .allOf[0].
    private static string PathOf(string field, JsonElement schema, string pointer)
    {
        var path = new StringBuilder(field);
        var at = schema;
        foreach (var part in pointer.Split('/').Skip(1))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind == JsonValueKind.Array) path.Append(CultureInfo.InvariantCulture, $"[{name}]");
            else path.Append('.').Append(name);
            at = at.ValueKind == JsonValueKind.Array ? at[int.Parse(name, CultureInfo.InvariantCulture)] : at.TryGetProperty(name, out var inner) ? inner : default;
        }
        return path.ToString();
    }
}
