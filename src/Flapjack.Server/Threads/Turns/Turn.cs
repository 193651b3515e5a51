using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Threads.Turns;

/// <summary>One answer in the making: from the user's message to its terminal event, over several streams when the client runs tools.</summary>
internal sealed class Turn : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid ThreadId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>One of <see cref="TurnStatuses"/>.</summary>
    public required string Status { get; set; }

    /// <summary>The node that runs it, and until when it may.</summary>
    public required string Node { get; init; }

    public required DateTime LeaseUntil { get; init; }

    /// <summary>Counts the nodes that took the turn over; a node that comes back late knows by it that the turn is no longer its own.</summary>
    public long Fence { get; init; }

    /// <summary>The credential whose revocation ends the turn's streams.</summary>
    public Guid? CredentialId { get; init; }
    public Guid? UserMessageId { get; init; }

    /// <summary>JSON: what the message asked for and later streams of the turn need again.</summary>
    public required string Request { get; init; }

    /// <summary>JSON: how far the turn got, when it began to wait for the client or was last seen running.</summary>
    public string? Progress { get; init; }

    /// <summary>The events of the turn's streams as <see cref="Streams.StreamRecord"/>.</summary>
    public byte[]? Events { get; init; }

    /// <summary>Which of the agents that the message addresses answers, counted from 0. The answers of those before it are stored.</summary>
    public int Leg { get; init; }

    public string? FinishReason { get; init; }
    public string? Error { get; init; }
    public required DateTime StartedAt { get; init; }
    public DateTime? EndedAt { get; init; }

    /// <summary>What clients were told of the stored text: nothing of an answer that failed its format.</summary>
    public string ToldOf(string text) => Error == ModelErrors.SchemaMismatch ? "" : text;

    /// <summary>The value of the answer, when the turn had a format and met it.</summary>
    public JsonElement? OutputOf(string text) => Status == TurnStatuses.Done && TurnOptions.Parse(Request).Format is not null ? AnswerFormat.ValueOf(text) : null;
}

internal static class TurnStatuses
{
    public const string Running = "running", Awaiting = "awaiting_action", Done = "done", Stopped = "stopped", Failed = "failed", Interrupted = "interrupted";
}

internal sealed class TurnMapping : IEntityTypeConfiguration<Turn>
{
    public void Configure(EntityTypeBuilder<Turn> builder)
    {
        builder.ToTable("turns");
        builder.HasIndex(t => t.LeaseUntil).HasFilter("status = 'running'");
        builder.HasIndex(t => t.ThreadId);
    }
}
