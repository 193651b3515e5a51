using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Knowledge;

/// <summary>A document. Its bytes lie in <see cref="DocumentPiece"/>s; what can be found of it belongs to its <see cref="Revision"/>.</summary>
internal sealed class Document : ITenantRow
{
    public const int MaxTitle = 300;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary><see cref="KnowledgeScope.Number"/>; null while it is being received.</summary>
    public long? Scope { get; init; }

    public required string ScopeType { get; init; }
    public required Guid ScopeId { get; init; }
    public required string Title { get; init; }

    /// <summary>False: the title is a guess, and the document's own replaces it.</summary>
    public required bool Titled { get; init; }

    /// <summary>Name of the file, or address.</summary>
    public required string SourceRef { get; init; }

    /// <summary>Where it is fetched from; null for what was sent.</summary>
    public string? Address { get; init; }

    public string? DeclaredType { get; init; }

    /// <summary>By its content.</summary>
    public string? MediaType { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Lower-case hex; null while it is being received.</summary>
    public string? Sha256 { get; init; }

    public int? PageCount { get; init; }

    /// <summary>A JSON object.</summary>
    public required string Metadata { get; init; }

    public int? RefreshHours { get; init; }
    public DateTime? LastFetchedAt { get; init; }
    public DateTime? FetchDueAt { get; init; }

    /// <summary>One of <see cref="DocumentStatuses"/>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it cannot be read, or why it could not be fetched again.</summary>
    public string? Error { get; init; }

    public required int ChunkCount { get; init; }

    /// <summary>Number of the <see cref="Indexing.DocumentRevision"/> that is found; null before the first.</summary>
    public long? Revision { get; init; }

    /// <summary>Whose vectors it has; null = none.</summary>
    public string? EmbeddingModel { get; init; }

    /// <summary>What is to be done with it, one of <see cref="DocumentWork"/>; null = nothing. Rows with work are the queue.</summary>
    public string? Work { get; init; }

    public DateTime? QueuedAt { get; init; }

    /// <summary>The node that works on it, and until when it may.</summary>
    public string? Node { get; init; }

    public DateTime? LeaseUntil { get; init; }

    /// <summary>Counts those who took up the work; a node that comes back late knows by it that the work is another's.</summary>
    public required long Claim { get; init; }

    /// <summary>How often the present work was taken up.</summary>
    public required int Attempts { get; init; }

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; init; }
}

internal static class DocumentStatuses
{
    /// <summary>Shown to clients.</summary>
    public const string Pending = "pending", Processing = "processing", Ready = "ready", Error = "error";

    /// <summary>Not shown: its bytes are still coming, or it is being cleared away.</summary>
    public const string Receiving = "receiving", Deleted = "deleted";
}

internal static class DocumentWork
{
    public const string Index = "index", Fetch = "fetch";
}

internal static class DocumentErrors
{
    public const string EmbeddingFailed = "EMBEDDING_FAILED", FetchFailed = "FETCH_FAILED";
}

/// <summary>A piece of a document's bytes.</summary>
internal sealed class DocumentPiece
{
    /// <summary>Every piece but the last has this size.</summary>
    public const int Size = 1024 * 1024;

    public required Guid DocumentId { get; init; }

    /// <summary>From 0.</summary>
    public required int Position { get; init; }

    public required byte[] Content { get; init; }
}

internal sealed class DocumentMapping : IEntityTypeConfiguration<Document>
{
    public void Configure(EntityTypeBuilder<Document> builder)
    {
        builder.ToTable("documents");
        builder.HasIndex(d => new { d.Scope, d.CreatedAt });
        builder.HasIndex(d => new { d.Scope, d.Sha256 });
        builder.HasIndex(d => new { d.OrgId, d.CreatedAt });
        builder.HasIndex(d => d.QueuedAt).HasFilter("work IS NOT NULL");
        builder.HasIndex(d => d.FetchDueAt).HasFilter("fetch_due_at IS NOT NULL");
        builder.HasIndex(d => d.Status).HasFilter("status IN ('receiving', 'deleted')");
    }
}

internal sealed class DocumentPieceMapping : IEntityTypeConfiguration<DocumentPiece>
{
    public void Configure(EntityTypeBuilder<DocumentPiece> builder)
    {
        builder.ToTable("document_pieces");
        builder.HasKey(p => new { p.DocumentId, p.Position });
    }
}
