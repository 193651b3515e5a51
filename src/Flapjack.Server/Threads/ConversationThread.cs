using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Threads;

/// <summary>A conversation with an agent. At most one turn runs in it at a time, on any node: <see cref="ActiveTurnId"/> is set and cleared by conditional updates only.</summary>
internal sealed class ConversationThread : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }
    public string? Title { get; set; }
    public required string Kind { get; init; }
    public string Status { get; set; } = "active";
    public string? ActiveProfile { get; set; }
    public string? SystemPromptOverlay { get; set; }

    /// <summary>JSON array of bindings as normalised on input.</summary>
    public string ResourceBindings { get; set; } = "[]";

    /// <summary>The account that started it, or the end user the application named.</summary>
    public string? UserId { get; init; }

    public Guid? ActiveTurnId { get; set; }

    /// <summary>The turn that waits for client-side tool results.</summary>
    public Guid? PendingTurnId { get; set; }

    public DateTime? PendingExpiresAt { get; set; }
    public Guid? ParentThreadId { get; init; }
    public Guid? ForkedFromMessageId { get; init; }

    /// <summary>JSON object.</summary>
    public string Metadata { get; set; } = "{}";

    /// <summary>Left out of lists: child threads of delegations and of calls without a thread.</summary>
    public bool Hidden { get; init; }

    /// <summary>Not before then it is removed, and not within a day of its last message; null = kept.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>The published chat it was opened in; null for others.</summary>
    public Guid? PublicationId { get; init; }

    /// <summary>The visitor whose session it needs; null = whoever knows its id.</summary>
    public string? Visitor { get; init; }

    /// <summary>Sequence number of the newest message.</summary>
    public long LastSeq { get; set; }

    /// <summary>Where the newest compaction of the thread stands; 0 = there is none.</summary>
    public long CompactedSeq { get; set; }

    /// <summary>Unique per agent, so that paging by it loses no row.</summary>
    public required DateTime CreatedAt { get; init; }

    public required DateTime UpdatedAt { get; set; }

    /// <summary>Several people take part in it, and several agents may.</summary>
    public bool IsMultiplayer => Kind == ThreadKinds.Multiplayer;

    public bool IsAwaitingAction(DateTime now) => PendingTurnId is not null && PendingExpiresAt > now;
}

internal static class ThreadKinds
{
    public const string Single = "single", Multiplayer = "multiplayer";
}

/// <summary>Somebody who takes part in a multiplayer thread.</summary>
internal sealed class Participant : ITenantRow
{
    public const string Owner = "owner", Member = "member";

    public required Guid OrgId { get; init; }
    public required Guid ThreadId { get; init; }

    /// <summary>Account id or the application's own id.</summary>
    public required string UserId { get; init; }

    public string? DisplayName { get; set; }

    /// <summary><see cref="Owner"/> or <see cref="Member"/>.</summary>
    public required string Role { get; set; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class ConversationThreadMapping : IEntityTypeConfiguration<ConversationThread>
{
    public void Configure(EntityTypeBuilder<ConversationThread> builder)
    {
        builder.ToTable("threads");
        builder.HasIndex(t => new { t.AgentId, t.CreatedAt }).IsUnique();
        builder.HasIndex(t => t.ExpiresAt).HasFilter("expires_at IS NOT NULL");
        builder.HasIndex(t => t.ParentThreadId).HasFilter("hidden");
        builder.HasIndex(t => t.PendingExpiresAt).HasFilter("pending_expires_at IS NOT NULL");
    }
}

internal sealed class ParticipantMapping : IEntityTypeConfiguration<Participant>
{
    public void Configure(EntityTypeBuilder<Participant> builder)
    {
        builder.ToTable("participants");
        builder.HasKey(p => new { p.ThreadId, p.UserId });
    }
}
