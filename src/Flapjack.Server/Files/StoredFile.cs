using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Files;

/// <summary>A file that somebody sent. Its content never changes; it lies in <see cref="FileChunk"/>s, which go with it.</summary>
internal sealed class StoredFile : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>The thread it was sent to; it goes with it unless another thread uses it.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary>The account that sent it; null for API keys.</summary>
    public Guid? UserId { get; init; }

    public required string Name { get; init; }

    /// <summary>By its content; among texts the name decides.</summary>
    public required string MediaType { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Lower-case hex.</summary>
    public required string Sha256 { get; init; }

    public required string Purpose { get; init; }

    /// <summary>False while its content is still coming in.</summary>
    public required bool Ready { get; init; }

    /// <summary>When it goes unless a message uses it; null once one does.</summary>
    public DateTime? ExpiresAt { get; init; }

    public required DateTime CreatedAt { get; init; }
}

/// <summary>A piece of a file's content.</summary>
internal sealed class FileChunk
{
    /// <summary>Every piece but the last has this size.</summary>
    public const int Size = 1024 * 1024;

    public required Guid FileId { get; init; }

    /// <summary>From 0.</summary>
    public required int Position { get; init; }

    public required byte[] Content { get; init; }
}

/// <summary>A message that uses a file.</summary>
internal sealed class FileUse : ITenantRow
{
    public required Guid OrgId { get; init; }
    public required Guid ThreadId { get; init; }

    /// <summary>Of the message in its thread.</summary>
    public required long Seq { get; init; }

    public required Guid FileId { get; init; }
}

internal sealed class StoredFileMapping : IEntityTypeConfiguration<StoredFile>
{
    public void Configure(EntityTypeBuilder<StoredFile> builder)
    {
        builder.ToTable("files");
        builder.HasIndex(f => f.ExpiresAt).HasFilter("expires_at IS NOT NULL");
        builder.HasIndex(f => f.ThreadId);
    }
}

internal sealed class FileChunkMapping : IEntityTypeConfiguration<FileChunk>
{
    public void Configure(EntityTypeBuilder<FileChunk> builder)
    {
        builder.ToTable("file_chunks");
        builder.HasKey(c => new { c.FileId, c.Position });
    }
}

internal sealed class FileUseMapping : IEntityTypeConfiguration<FileUse>
{
    public void Configure(EntityTypeBuilder<FileUse> builder)
    {
        builder.ToTable("file_uses");
        builder.HasKey(u => new { u.ThreadId, u.Seq, u.FileId });
        builder.HasIndex(u => u.FileId);
    }
}
