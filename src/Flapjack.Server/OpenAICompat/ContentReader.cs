using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Attachments;

namespace Flapjack.Server.OpenAICompat;

/// <summary>The content of a message.</summary>
/// <param name="Text">Texts, joined with a line feed.</param>
/// <param name="Files">Images and files.</param>
internal sealed record MessageContent(string Text, IReadOnlyList<AttachmentDraft> Files);

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
                var (texts, files) = (new List<string>(), new List<AttachmentDraft>());
                foreach (var (i, part) in content.Value.EnumerateArray().Index()) ReadPart($"{field}[{i}]", part, texts, files, errors);
                if (files.Count > AttachmentDraft.MaxAttachments) errors.Add(field, $"has more than {AttachmentDraft.MaxAttachments} images and files");
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

    private static void ReadPart(string field, JsonElement part, List<string> texts, List<AttachmentDraft> files, FieldErrors errors)
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
            default:
                if (FilePart.Read(field, part, errors) is { } file) files.Add(file);
                else errors.Add($"{field}.type", "is not a kind of content this server takes");
                break;
        }
    }

    private static string Clean(string field, string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest($"{field}: must not contain the character U+0000") : text;
}
