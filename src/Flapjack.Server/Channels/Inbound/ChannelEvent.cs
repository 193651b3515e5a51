using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>A message that came through a channel, from its arrival until its answer is delivered. The rows are the queue; finished ones stay a day, so that a repeat is known.</summary>
/// <remarks>Messages of one contact are worked on one after another, in the order of their numbers. Urgent ones wait for nobody.</remarks>
internal sealed class ChannelEvent : ITenantRow
{
    public long Number { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid ChannelId { get; init; }

    /// <summary>The provider's id of the message.</summary>
    public required string EventId { get; init; }

    /// <summary>External id of the contact.</summary>
    public required string Contact { get; init; }

    public bool Urgent { get; init; }

    /// <summary><see cref="InboundMessage"/> as JSON; empty once it is finished.</summary>
    public required string Payload { get; init; }

    public Guid? ThreadId { get; set; }

    /// <summary>The turn that answers it. Noted before the turn begins, so that it begins once.</summary>
    public Guid? TurnId { get; set; }

    /// <summary>What is to be sent, a JSON array of <see cref="Outbound.OutboundPart"/>; null before anything is known.</summary>
    public string? Outbox { get; set; }

    /// <summary>How many of them were sent.</summary>
    public int Sent { get; set; }

    /// <summary>True when the outbox holds the answer, and not only what goes before it.</summary>
    public bool Answered { get; set; }

    public string? Node { get; init; }
    public DateTime? LeaseUntil { get; init; }

    /// <summary>Counts who took it; whoever comes back late writes nothing.</summary>
    public long Claim { get; init; }

    /// <summary>How often it was taken since something was last achieved.</summary>
    public int Attempts { get; set; }

    /// <summary>Not taken before then.</summary>
    public required DateTime DueAt { get; init; }

    public required DateTime ReceivedAt { get; init; }
    public DateTime? FinishedAt { get; init; }
}

internal sealed class ChannelEventMapping : IEntityTypeConfiguration<ChannelEvent>
{
    public void Configure(EntityTypeBuilder<ChannelEvent> builder)
    {
        builder.ToTable("channel_events");
        builder.HasKey(e => e.Number);
        builder.HasIndex(e => new { e.ChannelId, e.EventId }).IsUnique();
        builder.HasIndex(e => new { e.ChannelId, e.Contact, e.Number }).HasFilter("finished_at IS NULL");
        builder.HasIndex(e => e.DueAt).HasFilter("finished_at IS NULL");
        builder.HasIndex(e => e.ReceivedAt).HasFilter("finished_at IS NOT NULL");
    }
}
