using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>What one reading of a document made. A new reading makes a new revision beside the old one, which goes when the new one is whole.</summary>
internal sealed class DocumentRevision
{
    public long Number { get; init; }
    public required Guid DocumentId { get; init; }
    public required long Scope { get; init; }
    public required long Chunks { get; init; }

    /// <summary>Words of all chunks.</summary>
    public required long Words { get; init; }
}

/// <summary>A piece of a document that is found and shown as one.</summary>
internal sealed class DocumentChunk
{
    public required long Revision { get; init; }
    public required int Position { get; init; }
    public required Guid Id { get; init; }
    public required int Tokens { get; init; }
    public int? Page { get; init; }
    public string? Heading { get; init; }
    public required string Text { get; init; }
}

/// <summary>The full vector of a chunk: numbers of sixteen bits.</summary>
internal sealed class DocumentVector
{
    public required long Revision { get; init; }
    public required int Position { get; init; }
    public required byte[] Data { get; init; }
}

/// <summary>The short forms of all vectors of a revision, as they stand in memory; see <see cref="Search.VectorSketch"/>.</summary>
internal sealed class DocumentSketches
{
    public required long Revision { get; init; }
    public required string Model { get; init; }
    public required int Dimensions { get; init; }
    public required byte[] Data { get; init; }
}

/// <summary>Where a word occurs in a revision; see <see cref="Search.Postings"/>.</summary>
internal sealed class DocumentWordRow
{
    public required long Scope { get; init; }
    public required string Word { get; init; }
    public required long Revision { get; init; }

    /// <summary>In how many chunks.</summary>
    public required int Hits { get; init; }

    public required byte[] Data { get; init; }
}

internal sealed class DocumentRevisionMapping : IEntityTypeConfiguration<DocumentRevision>
{
    public void Configure(EntityTypeBuilder<DocumentRevision> builder)
    {
        builder.ToTable("document_revisions");
        builder.HasKey(r => r.Number);
        builder.HasIndex(r => r.DocumentId);
    }
}

internal sealed class DocumentChunkMapping : IEntityTypeConfiguration<DocumentChunk>
{
    public void Configure(EntityTypeBuilder<DocumentChunk> builder)
    {
        builder.ToTable("document_chunks");
        builder.HasKey(c => new { c.Revision, c.Position });
    }
}

internal sealed class DocumentVectorMapping : IEntityTypeConfiguration<DocumentVector>
{
    public void Configure(EntityTypeBuilder<DocumentVector> builder)
    {
        builder.ToTable("document_vectors");
        builder.HasKey(v => new { v.Revision, v.Position });
    }
}

internal sealed class DocumentSketchesMapping : IEntityTypeConfiguration<DocumentSketches>
{
    public void Configure(EntityTypeBuilder<DocumentSketches> builder)
    {
        builder.ToTable("document_sketches");
        builder.HasKey(s => s.Revision);
        builder.Property(s => s.Revision).ValueGeneratedNever();
    }
}

internal sealed class DocumentWordRowMapping : IEntityTypeConfiguration<DocumentWordRow>
{
    public void Configure(EntityTypeBuilder<DocumentWordRow> builder)
    {
        builder.ToTable("document_words");
        builder.HasKey(w => new { w.Scope, w.Word, w.Revision });
        builder.HasIndex(w => w.Revision);
    }
}
