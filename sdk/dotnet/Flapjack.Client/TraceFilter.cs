namespace Flapjack.Client;

/// <summary>Which traces to list, and from where on.</summary>
public sealed record TraceFilter
{
    /// <summary>At most 200; default 50.</summary>
    public int? Limit { get; init; }

    /// <summary>From the page before.</summary>
    public string? Cursor { get; init; }

    /// <summary>Of this agent.</summary>
    public Guid? AgentId { get; init; }

    /// <summary>Of this thread.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public string? Status { get; init; }

    /// <summary>Text to look for.</summary>
    public string? Q { get; init; }

    /// <summary>Begun at this time or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Begun before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>With this tag.</summary>
    public string? Tag { get; init; }

    /// <summary>Of this user.</summary>
    public string? UserId { get; init; }

    /// <summary>That cost at least so many US dollars.</summary>
    public decimal? MinCostUsd { get; init; }

    internal IEnumerable<(string Name, object? Value)> Query() =>
        [("limit", Limit), ("cursor", Cursor), ("agentId", AgentId), ("threadId", ThreadId), ("status", Status), ("q", Q), ("from", From), ("to", To), ("tag", Tag), ("userId", UserId), ("minCostUsd", MinCostUsd)];
}
