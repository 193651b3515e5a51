using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;

namespace Flapjack.Server.Logs;

/// <summary>A finished turn, as exporters see it: the root and what ran in it.</summary>
internal sealed record TurnTrace
{
    /// <summary>The turn's id; becomes the id of the exported trace.</summary>
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid? AgentId { get; init; }
    public required string AgentName { get; init; }
    public required Guid? ThreadId { get; init; }
    public required string? UserId { get; init; }
    /// <summary>Such as <c>chat-turn</c>.</summary>
    public required string Name { get; init; }
    /// <summary>Model id as requested.</summary>
    public required string Model { get; init; }
    public required DateTime StartedAt { get; init; }
    public required DateTime EndedAt { get; init; }
    /// <summary>The code it failed with; null when it went well.</summary>
    public required string? Error { get; init; }
    public required ModelUsage Usage { get; init; }
    public required decimal? CostUsd { get; init; }
    public JsonElement? Input { get; init; }
    public JsonElement? Output { get; init; }
    public required IReadOnlyList<TurnSpan> Spans { get; init; }
}
