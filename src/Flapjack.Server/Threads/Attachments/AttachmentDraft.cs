using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Attachments;

/// <summary>A checked attachment that is still to be stored or found.</summary>
/// <param name="Field">Its path in the request.</param>
/// <param name="Type"><c>image</c> or <c>file</c>.</param>
/// <param name="Name">As sent.</param>
/// <param name="MediaType">As sent.</param>
/// <param name="FileId">One of three: a file that is there.</param>
/// <param name="Data">One of three: the content.</param>
/// <param name="Url">One of three: where the content is.</param>
internal sealed record AttachmentDraft(string Field, string Type, string? Name, string? MediaType, Guid? FileId, byte[]? Data, string? Url)
{
    public const string Image = "image", File = "file";
    public const int MaxAttachments = 10, UrlLimit = 4_000;

    /// <summary>What the request calls the content or its address.</summary>
    public string SourceField { get; init; } = $"{Field}.{(Url is null ? "data" : "url")}";

    public static IReadOnlyList<AttachmentDraft> From(List<AttachmentRequest?>? attachments, FieldErrors errors)
    {
        if (attachments is null or []) return [];
        if (attachments.Count > MaxAttachments)
        {
            errors.Add("attachments", $"has more than {MaxAttachments} attachments");
            return [];
        }
        return [.. attachments.Select((attachment, i) => From($"attachments[{i}]", attachment ?? throw ApiException.BadRequest($"attachments[{i}]: must be an object"), errors))];
    }

    private static AttachmentDraft From(string field, AttachmentRequest request, FieldErrors errors)
    {
        errors.Required($"{field}.type", request.Type.Value, 100);
        errors.OneOf($"{field}.type", request.Type.Value, Image, File);
        errors.Text($"{field}.name", request.Name.Value, FileName.MaxLength, min: 1);
        errors.Text($"{field}.mediaType", request.MediaType.Value, 255);
        errors.Text($"{field}.url", request.Url.Value, UrlLimit, min: 1);
        var fileId = errors.Id($"{field}.fileId", request.FileId.Value);
        var data = Decode($"{field}.data", request.Data.Value, errors);
        var given = (request.FileId.Value is null ? 0 : 1) + (data is null ? 0 : 1) + (request.Url.Value is null ? 0 : 1);
        if (given != 1) errors.Add(field, "needs exactly one of fileId, data and url");
        return new(field, request.Type.Value ?? File, request.Name.Value, request.MediaType.Value, fileId, data, request.Url.Value);
    }

    private static byte[]? Decode(string field, Base64Field? data, FieldErrors errors)
    {
        if (data is null) return null;
        if (!data.IsText) throw ApiException.BadRequest($"{field}: must be a string");
        if (data.Bytes is null) errors.Add(field, "is not base64");
        return data.Bytes ?? [];
    }
}
