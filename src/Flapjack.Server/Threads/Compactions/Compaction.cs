using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Threads.Compactions;

/// <summary>The beginning of a thread that one agent reads as a summary from now on. The messages stay; people see them.</summary>
internal sealed class Compaction : ITenantRow
{
    public required Guid ThreadId { get; init; }

    /// <summary>Who reads the summary; other agents of the thread have histories of their own.</summary>
    public required Guid AgentId { get; init; }

    /// <summary>The compaction holds where the thread has got this far: a fork that ends before it has none.</summary>
    public required long Seq { get; init; }

    public required Guid OrgId { get; init; }

    /// <summary>The last message that the summary replaces; always the last of its step, so no call is parted from its result.</summary>
    public required long ThroughSeq { get; init; }

    /// <summary>The summary; null when the provider made it and it stands in the message at <see cref="Seq"/>.</summary>
    public string? Summary { get; init; }

    public required long BeforeTokens { get; init; }
    public required long AfterTokens { get; init; }

    /// <summary>The turn that pays for it.</summary>
    public required Guid TurnId { get; init; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class CompactionMapping : IEntityTypeConfiguration<Compaction>
{
    public void Configure(EntityTypeBuilder<Compaction> builder)
    {
        builder.ToTable("compactions");
        builder.HasKey(c => new { c.ThreadId, c.AgentId, c.Seq });
    }
}
