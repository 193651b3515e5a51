using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Reads how an answer is to look, and says it in the words of this server's messages.</summary>
internal static class FormatReader
{
    /// <param name="field">Its path in the request.</param>
    /// <param name="format">As sent.</param>
    /// <param name="nested">The object that holds name, schema and strictness in Chat Completions; null = they stand beside the type.</param>
    /// <param name="errors">Where faults go.</param>
    /// <returns>A <c>responseFormat</c>; null for plain text.</returns>
    public static JsonElement? Read(string field, JsonElement? format, string? nested, FieldErrors errors)
    {
        if (format is not { ValueKind: not JsonValueKind.Null } wanted) return null;
        if (wanted.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        switch (wanted.Text("type"))
        {
            case "text":
                return null;
            case "json_object":
                return JsonElement.Parse("""{"type":"json"}""");
            case "json_schema":
                return SchemaOf(nested is null ? wanted : wanted.Object(nested) ?? default);
            default:
                errors.Add($"{field}.type", "must be one of text, json_object, json_schema");
                return null;
        }
    }

    private static JsonElement SchemaOf(JsonElement described)
    {
        var format = new JsonObject { ["type"] = "json_schema" };
        if (described.ValueKind != JsonValueKind.Object) return JsonSerializer.SerializeToElement(format);
        // What is not there or wrong is judged where every message's format is.
        foreach (var name in (string[])["name", "schema", "strict"])
        {
            if (described.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null) format[name] = JsonNode.Parse(value.GetRawText());
        }
        return JsonSerializer.SerializeToElement(format);
    }
}
