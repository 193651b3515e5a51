using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat;

/// <summary>The content of a message.</summary>
/// <param name="Text">Texts, joined with a line feed.</param>
/// <param name="Files">Images and files.</param>
internal sealed record MessageContent(string Text, IReadOnlyList<ContentFile> Files);

/// <summary>An image or a file of a message.</summary>
/// <param name="Field">Its path in the request.</param>
/// <param name="IsImage">Whether it is to be looked at rather than read.</param>
/// <param name="Name">As sent.</param>
/// <param name="MediaType">Of a data URL.</param>
/// <param name="FileId">One of three: a file that is there.</param>
/// <param name="Data">One of three: the content.</param>
/// <param name="Url">One of three: where the content is.</param>
internal sealed record ContentFile(string Field, bool IsImage, string? Name, string? MediaType, Guid? FileId, byte[]? Data, string? Url);

/// <summary>Reads the content of a message: a string, or parts in the words of either protocol.</summary>
internal static class ContentReader
{
    public static MessageContent Read(string field, JsonElement? content, FieldErrors errors)
    {
        switch (content?.ValueKind)
        {
            case null or JsonValueKind.Null:
                return new("", []);
            case JsonValueKind.String:
                return new(Clean(field, content.Value.GetString()!), []);
            case JsonValueKind.Array:
                var (texts, files) = (new List<string>(), new List<ContentFile>());
                foreach (var (i, part) in content.Value.EnumerateArray().Index()) ReadPart($"{field}[{i}]", part, texts, files, errors);
                return new(string.Join('\n', texts.Where(text => text.Length > 0)), files);
            default:
                throw ApiException.BadRequest($"{field}: must be a string or an array of parts");
        }
    }

    /// <summary>Content that can only be text.</summary>
    public static string Text(string field, JsonElement? content, FieldErrors errors)
    {
        var read = Read(field, content, errors);
        foreach (var file in read.Files) errors.Add(file.Field, "must be text here");
        return read.Text;
    }

    private static void ReadPart(string field, JsonElement part, List<string> texts, List<ContentFile> files, FieldErrors errors)
    {
        if (part.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        switch (part.Text("type"))
        {
            case "text" or "input_text" or "output_text":
                texts.Add(Clean($"{field}.text", part.Text("text") ?? throw ApiException.BadRequest($"{field}.text: must be a string")));
                break;
            case "refusal":
                texts.Add(Clean($"{field}.refusal", part.Text("refusal") ?? ""));
                break;
            case "image_url":
                files.Add(FileOf($"{field}.image_url.url", true, null, part.Object("image_url")?.Text("url"), null, errors));
                break;
            case "input_image":
                files.Add(FileOf($"{field}.image_url", true, null, part.Text("image_url"), part.Text("file_id"), errors));
                break;
            case "file" when part.Object("file") is { } file:
                files.Add(FileOf($"{field}.file.file_data", false, file.Text("filename"), file.Text("file_data"), file.Text("file_id"), errors));
                break;
            case "input_file":
                files.Add(FileOf($"{field}.file_data", false, part.Text("filename"), part.Text("file_data") ?? part.Text("file_url"), part.Text("file_id"), errors));
                break;
            default:
                errors.Add($"{field}.type", "is not a kind of content this server takes");
                break;
        }
    }

    private static ContentFile FileOf(string field, bool isImage, string? name, string? source, string? fileId, FieldErrors errors)
    {
        if (source is null) return new(field, isImage, name, null, errors.Id(field, fileId, required: true), null, null);
        if (!source.StartsWith("data:", StringComparison.OrdinalIgnoreCase)) return new(field, isImage, name, null, null, null, source);
        var comma = source.IndexOf(',', StringComparison.Ordinal);
        var header = comma < 0 ? [] : source[5..comma].Split(';');
        var bytes = new byte[source.Length];
        if (comma < 0 || header[^1] != "base64" || !Convert.TryFromBase64Chars(source.AsSpan(comma + 1), bytes, out var length))
        {
            errors.Add(field, "is not a data URL in base64");
            length = 0;
        }
        return new(field, isImage, name, header is [{ Length: > 0 } type, ..] ? type : null, null, bytes[..length], null);
    }

    private static string Clean(string field, string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest($"{field}: must not contain the character U+0000") : text;

    /// <summary>A string field of an object; null when it is absent or something else.</summary>
    public static string? Text(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>An object in a field of an object; null when it is absent or something else.</summary>
    public static JsonElement? Object(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
