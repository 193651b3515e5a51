using System.Text.Json;
using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Attachments;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Reads an image or a file among the parts of a message, in the words of either protocol.</summary>
internal static class FilePart
{
    private const string Base64Content = "file_data", Id = "file_id";
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    /// <summary>Null when the part is neither.</summary>
    public static AttachmentDraft? Read(string field, JsonElement part, FieldErrors errors) => part.Text("type") switch
    {
        "image_url" => From(Draft(field, AttachmentDraft.Image), $"{field}.image_url", part.Object("image_url") ?? Nothing, ["url"], errors),
        "input_image" => From(Draft(field, AttachmentDraft.Image), field, part, ["image_url", Id], errors),
        "file" => From(Draft(field, AttachmentDraft.File), $"{field}.file", part.Object("file") ?? Nothing, [Base64Content, Id], errors),
        "input_file" => From(Draft(field, AttachmentDraft.File), field, part, [Base64Content, "file_url", Id], errors),
        _ => null,
    };

    private static AttachmentDraft Draft(string field, string type) => new(field, type, null, null, null, null, null);

    private static AttachmentDraft From(AttachmentDraft draft, string path, JsonElement fields, string[] sources, FieldErrors errors)
    {
        var name = fields.Text("filename");
        errors.Text($"{path}.filename", name, FileName.MaxLength, min: 1);
        draft = draft with { Name = name };
        var given = sources.Where(source => fields.Text(source) is not null).ToList();
        if (given.Count != 1)
        {
            if (sources is [var only]) errors.Add($"{path}.{only}", "is required");
            else errors.Add(path, $"needs exactly one of {string.Join(", ", sources)}");
            return draft;
        }
        var (sent, at) = (fields.Text(given[0])!, $"{path}.{given[0]}");
        return given[0] == Id ? draft with { FileId = errors.Id(at, sent) } : Content(draft with { SourceField = at }, sent, given[0] == Base64Content, errors);
    }

    private static AttachmentDraft Content(AttachmentDraft draft, string sent, bool isContent, FieldErrors errors)
    {
        if (sent.StartsWith("data:", StringComparison.OrdinalIgnoreCase)) return OfDataUrl(draft, sent, errors);
        if (isContent) return draft with { Data = Decode(draft.SourceField, sent, errors) };
        errors.Text(draft.SourceField, sent, AttachmentDraft.UrlLimit, min: 1);
        return draft with { Url = sent };
    }

    private static AttachmentDraft OfDataUrl(AttachmentDraft draft, string url, FieldErrors errors)
    {
        var comma = url.IndexOf(',', StringComparison.Ordinal);
        if (comma >= 0 && url[5..comma].Split(';') is [var type, .., var encoding] && encoding.Equals("base64", StringComparison.OrdinalIgnoreCase))
            return draft with { MediaType = type.Length is > 0 and <= 255 ? type : null, Data = Decode(draft.SourceField, url.AsSpan(comma + 1), errors) };
        errors.Add(draft.SourceField, "is not a data URL in base64");
        return draft;
    }

    private static byte[] Decode(string field, ReadOnlySpan<char> base64, FieldErrors errors)
    {
        var bytes = new byte[base64.Length / 4 * 3 + 3];
        if (Convert.TryFromBase64Chars(base64, bytes, out var length)) return bytes[..length];
        errors.Add(field, "is not base64");
        return [];
    }
}
