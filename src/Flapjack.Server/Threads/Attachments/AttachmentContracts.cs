using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Attachments;

/// <summary>An image or a file of a message: exactly one of <c>fileId</c>, <c>data</c> and <c>url</c>.</summary>
public sealed record AttachmentRequest
{
    /// <summary><c>image</c> (png, jpeg, webp, gif) or <c>file</c> (pdf, docx, html, csv, json, markdown, plain text). Required.</summary>
    public Optional<string> Type { get; init; }
    /// <summary>Name for people and the model, at most 200 characters. Without it the file's own name or the last part of the address.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>What the sender takes it for. The content decides; among texts, which look alike, the name and then this does.</summary>
    public Optional<string> MediaType { get; init; }
    /// <summary>A file that was uploaded before.</summary>
    public Optional<string> FileId { get; init; }
    /// <summary>The content in base64; at most 20 MB of content, and 30 MB for the whole message.</summary>
    public Optional<Base64Field> Data { get; init; }
    /// <summary>An <c>http</c> or <c>https</c> address on the public internet that the server fetches now, at most 20 MB.</summary>
    public Optional<string> Url { get; init; }
}

/// <summary>An image or file of a message.</summary>
/// <param name="FileId">The file; <c>GET /api/files/{fileId}/content</c> has its content.</param>
/// <param name="Type"><c>image</c> or <c>file</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="MediaType">What it is.</param>
/// <param name="SizeBytes">Bytes.</param>
public sealed record MessageAttachment(Guid FileId, string Type, string Name, string MediaType, long SizeBytes);
