using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Files;

/// <summary>A file to send, as the parts of a form (<c>multipart/form-data</c>).</summary>
public sealed record FileUploadRequest
{
    /// <summary>The file, at most 20 MB: png, jpeg, webp, gif, pdf, docx, html, csv, json, markdown or plain text. Required.</summary>
    public Optional<IFormFile> File { get; init; }
    /// <summary>A thread to send it to; the file is deleted with it.</summary>
    public Optional<string> ThreadId { get; init; }
    /// <summary><c>message</c>, the only purpose and the default.</summary>
    public Optional<string> Purpose { get; init; }
}

/// <summary>A stored file.</summary>
/// <param name="Id">UUID.</param>
/// <param name="Name">As its sender named it, without folders.</param>
/// <param name="MediaType">By its content; among texts, which look alike, by its name.</param>
/// <param name="SizeBytes">Bytes.</param>
/// <param name="Sha256">Lower-case hex of its content's SHA-256.</param>
/// <param name="ThreadId">The thread it was sent to; null when it was sent to none.</param>
/// <param name="Purpose"><c>message</c>.</param>
/// <param name="CreatedAt">When it came, UTC. A file that no message uses goes a day later.</param>
public sealed record FileResponse(Guid Id, string Name, string MediaType, long SizeBytes, string Sha256, Guid? ThreadId, string Purpose, DateTime CreatedAt)
{
    internal static FileResponse From(StoredFile file) => new(file.Id, file.Name, file.MediaType, file.SizeBytes, file.Sha256, file.ThreadId, file.Purpose, file.CreatedAt);
}
