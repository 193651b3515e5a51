using System.Security.Cryptography;
using Flapjack.Server.Files;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge.Intake;

/// <summary>Bytes that were received and are not yet a document.</summary>
internal sealed record ReceivedBytes(Guid Id, Guid OrgId, long Size, string Sha256, string MediaType);

/// <summary>What is said of a document besides its bytes.</summary>
internal sealed record DocumentDraft(ScopeRef Scope, string Title, bool Titled, string SourceRef, string Metadata)
{
    public string? DeclaredType { get; init; }
    public string? Address { get; init; }
    public int? RefreshHours { get; init; }
}

/// <summary>Takes documents in: 1 the bytes are stored as they come, 2 the document is queued, 3 its reading is waited for, for a while.</summary>
internal sealed class DocumentIntake(IWriter writer, IReader reader, Databases databases, IndexQueue queue, DocumentErasure erasure, IntakeContext context)
{
    /// <summary>25 MB.</summary>
    public const int MaxBytes = 25 * 1024 * 1024;

    /// <summary>How long a request waits for the document to be read.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Stores the bytes of a stream. 413 over the limit, 415 for what cannot be read by its content, 422 for nothing; nothing is kept then.</summary>
    public async Task<ReceivedBytes> ReceiveAsync(Guid orgId, Stream content, string name, string? declaredType, string field, CancellationToken cancellationToken)
    {
        var id = Ids.New();
        await writer.WriteAsync([DocumentSql.Begin(id, orgId, context.Time.Now())], cancellationToken);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            string? type = null;
            var size = 0L;
            for (var position = 0; ; position++)
            {
                var piece = new byte[DocumentPiece.Size];
                var length = await content.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken);
                if (length == 0) break;
                if ((size += length) > MaxBytes) throw TooLarge(field);
                if (position == 0) type = TypeOf(piece.AsSpan(0, Math.Min(length, FileTypes.HeadBytes)), name, declaredType) ?? throw Unsupported(field);
                if (length < piece.Length) piece = piece[..length];
                hash.AppendData(piece);
                await writer.WriteAsync([DocumentSql.Append(id, position, piece)], cancellationToken);
            }
            if (type is null) throw ApiException.Invalid(field, "is empty");
            return new(id, orgId, size, Convert.ToHexStringLower(hash.GetHashAndReset()), type);
        }
        catch
        {
            await erasure.DropAsync(id);
            throw;
        }
    }

    /// <summary>Makes a document of received bytes and waits for it, unless nobody wants to. 409 when the scope has the same bytes or is full; 415 and 422 when it turns out to be unreadable within the wait, and then nothing is kept.</summary>
    public async Task<Document> AddAsync(ReceivedBytes received, DocumentDraft draft, bool waits, CancellationToken cancellationToken)
    {
        // Asked for before it is queued: a fast reader is done before anybody could ask.
        var done = queue.DoneAsync(received.Id);
        try
        {
            await QueueAsync(received, draft, cancellationToken);
            if (waits) await WaitAsync(done, cancellationToken);
        }
        catch
        {
            // What is queued stays: whoever sent it may be gone, or the database away, but the document came whole.
            await erasure.DropAsync(received.Id);
            throw;
        }
        finally
        {
            queue.Forget(received.Id);
        }
        return await ResultAsync(received.OrgId, received.Id, cancellationToken);
    }

    public Task DropAsync(ReceivedBytes received) => erasure.DropAsync(received.Id);

    private async Task QueueAsync(ReceivedBytes received, DocumentDraft draft, CancellationToken cancellationToken)
    {
        await writer.WriteAsync([DocumentSql.EnsureScope(received.OrgId, draft.Scope.Type, draft.Scope.Id)], cancellationToken);
        var scopes = await reader.ReadAllAsync(DocumentSql.FindScope(received.OrgId, draft.Scope.Id), static row => row.Long(), cancellationToken);
        if (scopes.Count == 0) throw ApiException.NotFound("Scope");
        var now = context.Time.Now();
        var document = new Document
        {
            Id = received.Id,
            OrgId = received.OrgId,
            Scope = scopes[0],
            ScopeType = draft.Scope.Type,
            ScopeId = draft.Scope.Id,
            Title = draft.Title,
            Titled = draft.Titled,
            SourceRef = draft.SourceRef,
            Address = draft.Address,
            DeclaredType = draft.DeclaredType,
            MediaType = received.MediaType,
            SizeBytes = received.Size,
            Sha256 = received.Sha256,
            Metadata = draft.Metadata,
            RefreshHours = draft.RefreshHours,
            LastFetchedAt = draft.Address is null ? null : now,
            FetchDueAt = PageFetch.DueAt(draft.RefreshHours, now),
            Status = DocumentStatuses.Pending,
            ChunkCount = 0,
            QueuedAt = now,
            Claim = 0,
            Attempts = 0,
            CreatedAt = now,
            UpdatedAt = now,
        };
        var result = await writer.WriteAsync([DocumentSql.LockScope(scopes[0]), DocumentSql.Finish(document, context.Settings.Knowledge.MaxDocumentsPerScope)], CancellationToken.None);
        if (result.Refused || result.Affected[1] == 0) throw await WhyNotAsync(document, cancellationToken);
        queue.Wake();
    }

    private async Task<ApiException> WhyNotAsync(Document document, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(document.OrgId);
        var twin = await db.Documents.Where(d => d.Scope == document.Scope && d.Sha256 == document.Sha256 && d.Id != document.Id).Select(d => (Guid?)d.Id).FirstOrDefaultAsync(cancellationToken);
        if (twin is { } id) return ApiException.Conflict(id.ToString());
        var most = context.Settings.Knowledge.MaxDocumentsPerScope;
        return await db.Documents.CountAsync(d => d.Scope == document.Scope && d.Status != DocumentStatuses.Deleted, cancellationToken) >= most
            ? ApiException.Conflict($"this {document.ScopeType} has {most} documents, the most it may have") : ApiException.NotFound("Scope");
    }

    private async Task WaitAsync(Task done, CancellationToken cancellationToken)
    {
        try
        {
            await done.WaitAsync(Patience, context.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It goes on without anybody waiting.
        }
    }

    private async Task<Document> ResultAsync(Guid orgId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var document = await db.Documents.AsNoTracking().FirstOrDefaultAsync(d => d.Id == id, cancellationToken) ?? throw ApiException.NotFound("Document");
        // An embedding that failed is nothing the sender could mend by sending again.
        if (document.Status != DocumentStatuses.Error || document.Error == DocumentErrors.EmbeddingFailed) return document;
        await erasure.DeleteAsync(orgId, id);
        throw document.Error == ExtractionException.Unsupported ? Unsupported("file") : new ApiException(422, "VALIDATION_ERROR", document.Error);
    }

    private static string? TypeOf(ReadOnlySpan<byte> head, string name, string? declared) =>
        FileTypes.Detect(head, name, declared) is { } type && !FileTypes.IsImage(type) ? type : null;

    private static ApiException Unsupported(string field) => new(415, "UNSUPPORTED_MEDIA_TYPE", $"{field}: by its content this is none of pdf, docx, html, markdown, csv, json and plain text");

    private static ApiException TooLarge(string field) => new(413, "PAYLOAD_TOO_LARGE", $"{field}: a document may have at most {MaxBytes} bytes");
}

/// <summary>What the intake needs besides its collaborators.</summary>
internal sealed record IntakeContext(ServerSettings Settings, TimeProvider Time);
