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

    /// <param name="request">The format as it was sent; null = text.</param>
    /// <param name="field">What the request calls the object that holds name and schema.</param>
    /// <param name="errors">Where faults go.</param>
    public static ResponseFormat? From(ResponseFormatRequest? request, string field, FieldErrors errors)
    {
        if (request is null) return null;
        var type = request.Type.Value;
        if (type is null) errors.Add($"{field}.type", "is required");
        errors.OneOf($"{field}.type", type, "text", "json", "json_schema");
        if (request.Name.Value is { } name && !FieldRules.IsToolName(name)) errors.Add($"{field}.name", "must match ^[A-Za-z0-9_-]{1,64}$");
        return type switch
        {
            "json" => new(null, "", false),
            "json_schema" => new(SchemaOf(request, $"{field}.schema", errors), request.Name.Value ?? "answer", request.Strict.Value ?? true),
            _ => null,
        };
    }

    public void ApplyTo(ChatOptions options)
    {
        options.ResponseFormat = Schema is { } schema ? ChatResponseFormat.ForJsonSchema(schema, Name) : ChatResponseFormat.Json;
        (options.AdditionalProperties ??= [])["strictJsonSchema"] = Strict;
    }

    public AnswerFormat ToAnswerFormat() => Schema is { } schema ? AnswerFormat.Of(schema) : AnswerFormat.AnyJson;

    private static JsonElement? SchemaOf(ResponseFormatRequest request, string field, FieldErrors errors)
    {
        if (request.Schema.Value is not { ValueKind: not JsonValueKind.Null } schema)
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
