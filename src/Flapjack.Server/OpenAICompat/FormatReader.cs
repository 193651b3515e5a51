using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Reads how an answer is to look.</summary>
internal static class FormatReader
{
    /// <param name="field">Its path in the request.</param>
    /// <param name="format">As sent.</param>
    /// <param name="nested">The object that holds name, schema and strictness in Chat Completions; null = they stand beside the type.</param>
    /// <param name="errors">Where faults go.</param>
    /// <returns>Null for plain text.</returns>
    public static ResponseFormat? Read(string field, JsonElement? format, string? nested, FieldErrors errors)
    {
        if (format is not { ValueKind: not JsonValueKind.Null } wanted) return null;
        if (wanted.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        switch (wanted.Text("type"))
        {
            case "text":
                return null;
            case "json_object":
                return ResponseFormat.Json;
            case "json_schema" when nested is null:
                return SchemaOf(field, wanted, errors);
            case "json_schema" when wanted.Object(nested) is { } described:
                return SchemaOf($"{field}.{nested}", described, errors);
            case "json_schema":
                errors.Add($"{field}.{nested}", "must be an object with name and schema");
                return null;
            default:
                errors.Add($"{field}.type", "must be one of text, json_object, json_schema");
                return null;
        }
    }

    private static ResponseFormat SchemaOf(string field, JsonElement described, FieldErrors errors)
    {
        var (name, schema, strict) = (Value("name"), Value("schema"), Value("strict"));
        if (name is { ValueKind: not JsonValueKind.String }) throw ApiException.BadRequest($"{field}.name: must be a string");
        if (strict is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) }) throw ApiException.BadRequest($"{field}.strict: must be true or false");
        return ResponseFormat.OfSchema(field, schema, name?.GetString(), strict?.GetBoolean(), errors);

        JsonElement? Value(string part) => described.TryGetProperty(part, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
