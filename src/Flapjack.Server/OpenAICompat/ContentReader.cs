using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Reads the content of a message: a string, or parts in the words of either protocol.</summary>
internal static class ContentReader
{
    /// <summary>The text; parts are joined with a line feed.</summary>
    public static string Text(string field, JsonElement? content, FieldErrors errors) => content?.ValueKind switch
    {
        null or JsonValueKind.Null => "",
        JsonValueKind.String => Clean(field, content.Value.GetString()!),
        JsonValueKind.Array => string.Join('\n', content.Value.EnumerateArray().Select((part, i) => PartText($"{field}[{i}]", part, errors)).Where(text => text.Length > 0)),
        _ => throw ApiException.BadRequest($"{field}: must be a string or an array of parts"),
    };

    private static string PartText(string field, JsonElement part, FieldErrors errors)
    {
        if (part.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        switch (part.Text("type"))
        {
            case "text" or "input_text" or "output_text":
                return Clean($"{field}.text", part.Text("text") ?? throw ApiException.BadRequest($"{field}.text: must be a string"));
            case "refusal":
                return Clean($"{field}.refusal", part.Text("refusal") ?? "");
            case "image_url" or "file" or "input_image" or "input_file":
                errors.Add(field, "images and files are not available on this server yet");
                return "";
            default:
                errors.Add($"{field}.type", "is not a kind of content this server takes");
                return "";
        }
    }

    private static string Clean(string field, string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest($"{field}: must not contain the character U+0000") : text;

    /// <summary>A string field of an object; null when it is absent or something else.</summary>
    public static string? Text(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
