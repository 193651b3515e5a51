using System.Text.Json;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Knowledge;

/// <summary>A document to send, as the parts of a form (<c>multipart/form-data</c>).</summary>
public sealed record DocumentUploadRequest
{
    /// <summary>The file, at most 25 MB: pdf, docx, html, markdown, csv, json or plain text. Required.</summary>
    public Optional<IFormFile> File { get; init; }
    /// <summary>1 to 300 characters. Required.</summary>
    public Optional<string> Title { get; init; }
    /// <summary><c>org</c>, <c>agent</c> or <c>thread</c>. Required.</summary>
    public Optional<string> ScopeType { get; init; }
    /// <summary>UUID of the agent or thread; for <c>org</c> that of the organisation. Required.</summary>
    public Optional<string> ScopeId { get; init; }
    /// <summary>A JSON object as text, at most 16 KB.</summary>
    public Optional<string> Metadata { get; init; }
    /// <summary><c>true</c>: answer before the document is read.</summary>
    public Optional<string> Async { get; init; }
}

/// <summary>An address to read.</summary>
public sealed record DocumentUrlRequest
{
    /// <summary>http or https. Required.</summary>
    public Optional<string> Url { get; init; }
    /// <summary><c>org</c>, <c>agent</c> or <c>thread</c>. Required.</summary>
    public Optional<string> ScopeType { get; init; }
    /// <summary>UUID of the agent or thread; for <c>org</c> that of the organisation. Required.</summary>
    public Optional<string> ScopeId { get; init; }
    /// <summary>1 to 300 characters; the page's own title when absent.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>Fetched again after so many hours, 1 to 8,760; never when absent.</summary>
    public Optional<int?> RefreshHours { get; init; }
    /// <summary>An object of at most 16 KB; searches can filter by its top-level keys.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
}

/// <summary>A text to keep.</summary>
public sealed record DocumentTextRequest
{
    /// <summary>At most 5 MB. Required.</summary>
    public Optional<string> Text { get; init; }
    /// <summary>1 to 300 characters. Required.</summary>
    public Optional<string> Title { get; init; }
    /// <summary><c>org</c>, <c>agent</c> or <c>thread</c>. Required.</summary>
    public Optional<string> ScopeType { get; init; }
    /// <summary>UUID of the agent or thread; for <c>org</c> that of the organisation. Required.</summary>
    public Optional<string> ScopeId { get; init; }
    /// <summary><c>txt</c> (default), <c>md</c> or <c>html</c>.</summary>
    public Optional<string> Format { get; init; }
    /// <summary>Where it comes from; shown with what is found in it.</summary>
    public Optional<string> SourceRef { get; init; }
    /// <summary>An object of at most 16 KB; searches can filter by its top-level keys.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
}

/// <summary>Changes the fields that are sent.</summary>
public sealed record DocumentPatchRequest
{
    /// <summary>1 to 300 characters.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>Replaces the object; <c>null</c> empties it.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
    /// <summary>Of a document that came from an address: fetched again after so many hours, 1 to 8,760; <c>null</c> = never.</summary>
    public Optional<int?> RefreshHours { get; init; }
}

/// <summary>A document that was taken in.</summary>
/// <param name="Id">UUID.</param>
/// <param name="Title">Its title.</param>
/// <param name="Chunks">The pieces it was cut into; 0 while it is still read.</param>
/// <param name="Status"><c>ready</c>, <c>processing</c>, or <c>error</c> when it could not be embedded.</param>
public sealed record DocumentAddedResponse(Guid Id, string Title, int Chunks, string Status)
{
    internal static DocumentAddedResponse From(Document d) => d.Status switch
    {
        DocumentStatuses.Ready or DocumentStatuses.Error => new(d.Id, d.Title, d.ChunkCount, d.Status),
        _ => new(d.Id, d.Title, 0, DocumentStatuses.Processing),
    };
}

/// <summary>A document.</summary>
public sealed record DocumentResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>For people and models.</summary>
    public required string Title { get; init; }
    /// <summary>Name of the file, or address.</summary>
    public required string SourceRef { get; init; }
    /// <summary>The pieces it was cut into.</summary>
    public required int ChunkCount { get; init; }
    /// <summary>When it came, UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary><c>org</c>, <c>agent</c> or <c>thread</c>.</summary>
    public required string ScopeType { get; init; }
    /// <summary>Of the organisation, agent or thread.</summary>
    public required Guid ScopeId { get; init; }
    /// <summary><c>pending</c>, <c>processing</c>, <c>ready</c> or <c>error</c>. Only ready documents are found.</summary>
    public required string Status { get; init; }
    /// <summary>Why it cannot be read: <c>NO_TEXT</c>, <c>ENCRYPTED</c>, <c>CORRUPT</c>, <c>TOO_COMPLEX</c>, <c>EMBEDDING_FAILED</c>, <c>FETCH_FAILED</c> or <c>UNSUPPORTED</c>. A ready document may have <c>FETCH_FAILED</c>: then it could not be fetched again.</summary>
    public required string? Error { get; init; }
    /// <summary>By its content.</summary>
    public required string? MediaType { get; init; }
    /// <summary>Bytes.</summary>
    public required long SizeBytes { get; init; }
    /// <summary>Lower-case hex of its content's SHA-256.</summary>
    public required string? Sha256 { get; init; }
    /// <summary>Null for formats without pages.</summary>
    public required int? PageCount { get; init; }
    /// <summary>As it was sent.</summary>
    public required JsonElement Metadata { get; init; }
    /// <summary>Hours after which it is fetched again; null = never.</summary>
    public required int? RefreshHours { get; init; }
    /// <summary>Null for what was not fetched.</summary>
    public required DateTime? LastFetchedAt { get; init; }
    /// <summary>Time of the last change, UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static DocumentResponse From(Document d) => new()
    {
        Id = d.Id,
        Title = d.Title,
        SourceRef = d.SourceRef,
        ChunkCount = d.ChunkCount,
        CreatedAt = d.CreatedAt,
        ScopeType = d.ScopeType,
        ScopeId = d.ScopeId,
        Status = d.Status,
        Error = d.Error,
        MediaType = d.MediaType,
        SizeBytes = d.SizeBytes,
        Sha256 = d.Sha256,
        PageCount = d.PageCount,
        Metadata = JsonElement.Parse(d.Metadata),
        RefreshHours = d.RefreshHours,
        LastFetchedAt = d.LastFetchedAt,
        UpdatedAt = d.UpdatedAt,
    };
}

/// <summary>A piece of a document.</summary>
/// <param name="Id">UUID; a document that is read anew has new ones.</param>
/// <param name="Position">From 0, in reading order.</param>
/// <param name="Text">The text.</param>
/// <param name="Tokens">Of the text, estimated.</param>
/// <param name="Heading">Of the section it begins in.</param>
/// <param name="Page">The page it begins on.</param>
public sealed record DocumentChunkResponse(Guid Id, int Position, string Text, int Tokens, string? Heading, int? Page)
{
    internal static DocumentChunkResponse From(DocumentChunk c) => new(c.Id, c.Position, c.Text, c.Tokens, c.Heading, c.Page);
}
