using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Client;

/// <summary>A page of traces.</summary>
public sealed record TracePage
{
    /// <summary>Newest first.</summary>
    public required IReadOnlyList<TraceSummary> Traces { get; init; }

    /// <summary>Pass it as <c>cursor</c> for the next page; null on the last one.</summary>
    [JsonPropertyName("nextCursor")]
    public string? NextCursor { get; init; }
}

/// <summary>A trace in a list.</summary>
public sealed record TraceSummary
{
    /// <summary>UUID; for turns the turn's id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }

    /// <summary>The agent that answered.</summary>
    public Guid? AgentId { get; init; }

    /// <summary>The runner that ran.</summary>
    public Guid? RunnerId { get; init; }

    /// <summary>The thread of a turn.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary>The run of a runner.</summary>
    public Guid? RunId { get; init; }

    /// <summary>The application's session, or one per thread.</summary>
    public required string SessionId { get; init; }

    /// <summary>Who asked.</summary>
    public string? UserId { get; init; }

    /// <summary>What kind of work it was, such as <c>chat-turn</c>.</summary>
    public required string Name { get; init; }

    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public required string Status { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How long it took; null while it runs.</summary>
    public long? DurationMs { get; init; }

    /// <summary>Tokens of all model calls.</summary>
    public required long TotalInputTokens { get; init; }

    /// <summary>Tokens of all model calls.</summary>
    public required long TotalOutputTokens { get; init; }

    /// <summary>Cost of all model calls with a known price.</summary>
    public required decimal TotalCostUsd { get; init; }

    /// <summary>Tags of message or thread, and where it came from.</summary>
    public required JsonElement Tags { get; init; }

    /// <summary>Operations.</summary>
    public required int SpanCount { get; init; }

    /// <summary>Operations that failed.</summary>
    public required int ErrorCount { get; init; }

    /// <summary>Model calls.</summary>
    public required int LlmCallCount { get; init; }

    /// <summary>Tool calls.</summary>
    public required int ToolCallCount { get; init; }
}

/// <summary>A trace with its spans and evaluations.</summary>
public sealed record TraceDetail
{
    /// <summary>The trace itself.</summary>
    public required Trace Trace { get; init; }

    /// <summary>Ordered by start; the tree is in <c>parent_span_id</c>.</summary>
    public required IReadOnlyList<Span> Spans { get; init; }

    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<Evaluation> Evaluations { get; init; }
}

/// <summary>A single trace.</summary>
public sealed record Trace
{
    /// <summary>UUID; for turns the turn's id.</summary>
    public required Guid Id { get; init; }

    /// <summary>What kind of work it was, such as <c>chat-turn</c>.</summary>
    public required string Name { get; init; }

    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public required string Status { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How long it took; null while it runs.</summary>
    public long? DurationMs { get; init; }

    /// <summary>Tokens of all model calls.</summary>
    public required long TotalInputTokens { get; init; }

    /// <summary>Tokens of all model calls.</summary>
    public required long TotalOutputTokens { get; init; }

    /// <summary>Cost of all model calls with a known price.</summary>
    public required decimal TotalCostUsd { get; init; }

    /// <summary>Tags of message or thread, and where it came from.</summary>
    public required JsonElement Tags { get; init; }

    /// <summary>Metadata of the message.</summary>
    public required JsonElement Metadata { get; init; }

    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }

    /// <summary>The agent that answered.</summary>
    public Guid? AgentId { get; init; }

    /// <summary>The runner that ran.</summary>
    public Guid? RunnerId { get; init; }

    /// <summary>The thread of a turn.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary>The run of a runner.</summary>
    public Guid? RunId { get; init; }

    /// <summary>The application's session, or one per thread.</summary>
    public required string SessionId { get; init; }

    /// <summary>Who asked.</summary>
    public string? UserId { get; init; }
}

/// <summary>One operation of a trace. What only model calls have is null for others.</summary>
public sealed record Span
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The trace it belongs to.</summary>
    public required Guid TraceId { get; init; }

    /// <summary>The operation it ran in; null for the root.</summary>
    public Guid? ParentSpanId { get; init; }

    /// <summary><c>agent</c>, <c>llm</c>, <c>tool</c>, <c>mcp</c>, <c>webhook</c>, <c>chain</c> and more.</summary>
    public required string Kind { get; init; }

    /// <summary>Model id, tool name, or what a person would call it.</summary>
    public required string Name { get; init; }

    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public required string Status { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What went in; cut above about 256 KB; null when contents are not captured.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>What came out.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>How long it took; null while it runs.</summary>
    public long? DurationMs { get; init; }

    /// <summary>Further facts.</summary>
    public JsonElement? Attributes { get; init; }

    /// <summary>The provider that was called.</summary>
    public string? Provider { get; init; }

    /// <summary>Model id as requested.</summary>
    public string? Model { get; init; }

    /// <summary>As sent.</summary>
    public double? Temperature { get; init; }

    /// <summary>As sent.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>All prompt tokens, cached ones included.</summary>
    public long? InputTokens { get; init; }

    /// <summary>Tokens of the answer.</summary>
    public long? OutputTokens { get; init; }

    /// <summary>Prompt tokens read from a cache.</summary>
    public long? CachedInputTokens { get; init; }

    /// <summary>Null when the model has no price.</summary>
    public decimal? CostUsd { get; init; }

    /// <summary>Whose credential was used.</summary>
    public string? CredentialSource { get; init; }
}

/// <summary>A judgement on a trace or one of its spans.</summary>
public sealed record Evaluation
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The trace.</summary>
    public required Guid TraceId { get; init; }

    /// <summary>The span.</summary>
    public required Guid SpanId { get; init; }

    /// <summary><c>heuristic</c>, <c>llm_judge</c> or <c>human</c>.</summary>
    public required string Source { get; init; }

    /// <summary>What was judged.</summary>
    public required string Name { get; init; }

    /// <summary>A number.</summary>
    public double? Score { get; init; }

    /// <summary>A word.</summary>
    public string? Label { get; init; }

    /// <summary>Why.</summary>
    public string? Comment { get; init; }

    /// <summary>The account that judged; null for keys.</summary>
    public Guid? CreatedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A judgement on a trace or one of its spans. <c>score</c>, <c>label</c> or both are required.</summary>
public sealed record EvaluationRequest : FlapjackRequest
{
    /// <summary>What is judged, 1 to 200 characters. Required.</summary>
    public string? Name { get; init; }

    /// <summary>A number.</summary>
    public double? Score { get; init; }

    /// <summary>A word, at most 200 characters.</summary>
    public string? Label { get; init; }

    /// <summary>The span; default the trace's root span.</summary>
    public Guid? SpanId { get; init; }

    /// <summary>At most 4,000 characters.</summary>
    public string? Comment { get; init; }

    /// <summary><c>human</c> (default), <c>heuristic</c> or <c>llm_judge</c>; users are always human.</summary>
    public string? Source { get; init; }
}
