using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Memory;

internal static class MemorySources
{
    public const string Tool = "tool", AutoCollect = "auto_collect", Api = "api";
}

/// <summary>Something an agent remembers. Its words and its vector are rows beside it that the database deletes with it.</summary>
internal sealed class MemoryEntry : ITenantRow
{
    public const int MaxContent = 2_000;

    public required Guid Id { get; init; }

    /// <summary>Short, and greater than those of older memories; see <see cref="MemoryNumbers"/>.</summary>
    public required long Number { get; init; }

    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>One of <see cref="MemoryScope"/>'s kinds.</summary>
    public required string Scope { get; init; }

    /// <summary>The agent's id, the thread's id, or <c>type:id</c> of a resource: no two kinds have one in common.</summary>
    public required string ScopeId { get; init; }

    /// <summary>Only of scope <c>thread</c>.</summary>
    public Guid? ThreadId { get; init; }

    public required string Content { get; set; }

    /// <summary>Of scope and words: equal texts have equal ones.</summary>
    public required long Fingerprint { get; set; }

    /// <summary>One of <see cref="MemorySources"/>.</summary>
    public required string Source { get; init; }

    /// <summary>JSON object.</summary>
    public required string Metadata { get; set; }

    /// <summary>When it was last recalled, to the minute; null when never.</summary>
    public DateTime? LastUsedAt { get; init; }

    /// <summary>When it was last stored or recalled. The one with the earliest goes first.</summary>
    public required DateTime TouchedAt { get; set; }

    public required DateTime CreatedAt { get; init; }
}

/// <summary>A word of a memory, as a number that holds for one agent only; see <see cref="Recall.MemoryWords.TermOf"/>.</summary>
internal sealed class MemoryTerm
{
    public required long Term { get; init; }
    public required long MemoryNumber { get; init; }
}

/// <summary>What an embedding model makes of a memory.</summary>
internal sealed class MemoryVector
{
    public required long MemoryNumber { get; init; }

    /// <summary>Vectors of different models cannot be compared.</summary>
    public required string Model { get; set; }

    /// <summary>A byte a dimension; see <see cref="Recall.ShortVector"/>.</summary>
    public required byte[] Vector { get; set; }
}

internal sealed class MemoryEntryMapping : IEntityTypeConfiguration<MemoryEntry>
{
    public void Configure(EntityTypeBuilder<MemoryEntry> builder)
    {
        builder.ToTable("memories");
        builder.HasIndex(m => m.Number).IsUnique();
        builder.HasIndex(m => new { m.AgentId, m.TouchedAt });
        builder.HasIndex(m => new { m.AgentId, m.Number });
        builder.HasIndex(m => m.Fingerprint);
        builder.HasIndex(m => m.ThreadId).HasFilter("thread_id IS NOT NULL");
    }
}

internal sealed class MemoryTermMapping : IEntityTypeConfiguration<MemoryTerm>
{
    public void Configure(EntityTypeBuilder<MemoryTerm> builder)
    {
        builder.ToTable("memory_terms");
        builder.HasKey(t => new { t.Term, t.MemoryNumber });
        builder.HasIndex(t => t.MemoryNumber);
    }
}

internal sealed class MemoryVectorMapping : IEntityTypeConfiguration<MemoryVector>
{
    public void Configure(EntityTypeBuilder<MemoryVector> builder)
    {
        builder.ToTable("memory_vectors");
        builder.HasKey(v => v.MemoryNumber);
        builder.Property(v => v.MemoryNumber).ValueGeneratedNever();
    }
}
