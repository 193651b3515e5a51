using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Logs;

/// <summary>A page of traces.</summary>
public sealed record TraceListResponse
{
    /// <summary>Newest first.</summary>
    public required IReadOnlyList<TraceSummaryResponse> Traces { get; init; }
    /// <summary>Pass it as <c>cursor</c> for the next page; null on the last one.</summary>
    [JsonPropertyName("nextCursor")]
    public required string? NextCursor { get; init; }
}

/// <summary>A trace in a list.</summary>
public sealed record TraceSummaryResponse
{
    /// <summary>UUID; for turns the turn's id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>The agent that answered.</summary>
    public required Guid? AgentId { get; init; }
    /// <summary>The runner that ran.</summary>
    public required Guid? RunnerId { get; init; }
    /// <summary>The thread of a turn.</summary>
    public required Guid? ThreadId { get; init; }
    /// <summary>The run of a runner.</summary>
    public required Guid? RunId { get; init; }
    /// <summary>The application's session, or one per thread.</summary>
    public required string SessionId { get; init; }
    /// <summary>Who asked.</summary>
    public required string? UserId { get; init; }
    /// <summary>What kind of work it was, such as <c>chat-turn</c>.</summary>
    public required string Name { get; init; }
    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public required string Status { get; init; }
    /// <summary>When it began.</summary>
    public required DateTime StartedAt { get; init; }
    /// <summary>When it ended; null while it runs.</summary>
    public required DateTime? EndedAt { get; init; }
    /// <summary>How long it took; null while it runs.</summary>
    public required long? DurationMs { get; init; }
    /// <summary>Tokens of all model calls.</summary>
    public required long TotalInputTokens { get; init; }
    /// <summary>Tokens of all model calls.</summary>
    public required long TotalOutputTokens { get; init; }
    /// <summary>Cost of all model calls with a known price.</summary>
    public required double TotalCostUsd { get; init; }
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

    internal static TraceSummaryResponse From(Trace trace) => new()
    {
        Id = trace.Id,
        OrgId = trace.OrgId,
        AgentId = trace.AgentId,
        RunnerId = trace.RunnerId,
        ThreadId = trace.ThreadId,
        RunId = trace.RunId,
        SessionId = trace.SessionId,
        UserId = trace.UserId,
        Name = trace.Name,
        Status = trace.Status,
        StartedAt = trace.StartedAt,
        EndedAt = trace.EndedAt,
        DurationMs = LogValues.Duration(trace.StartedAt, trace.EndedAt),
        TotalInputTokens = trace.InputTokens,
        TotalOutputTokens = trace.OutputTokens,
        TotalCostUsd = LogValues.Money(trace.CostUsd),
        Tags = LogValues.Json(trace.Tags),
        SpanCount = trace.SpanCount,
        ErrorCount = trace.ErrorCount,
        LlmCallCount = trace.LlmCallCount,
        ToolCallCount = trace.ToolCallCount,
    };
}

/// <summary>A trace with its spans and evaluations.</summary>
public sealed record TraceDetailResponse
{
    /// <summary>The trace itself.</summary>
    public required TraceResponse Trace { get; init; }
    /// <summary>Ordered by start; the tree is in <c>parent_span_id</c>.</summary>
    public required IReadOnlyList<SpanResponse> Spans { get; init; }
    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<EvaluationResponse> Evaluations { get; init; }
}

/// <summary>A single trace.</summary>
public sealed record TraceResponse
{
    /// <summary>UUID; for turns the turn's id.</summary>
    public required Guid Id { get; init; }
    /// <summary>What kind of work it was, such as <c>chat-turn</c>.</summary>
    public required string Name { get; init; }
    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public required string Status { get; init; }
    /// <summary>When it began.</summary>
    public required DateTime StartedAt { get; init; }
    /// <summary>When it ended; null while it runs.</summary>
    public required DateTime? EndedAt { get; init; }
    /// <summary>How long it took; null while it runs.</summary>
    public required long? DurationMs { get; init; }
    /// <summary>Tokens of all model calls.</summary>
    public required long TotalInputTokens { get; init; }
    /// <summary>Tokens of all model calls.</summary>
    public required long TotalOutputTokens { get; init; }
    /// <summary>Cost of all model calls with a known price.</summary>
    public required double TotalCostUsd { get; init; }
    /// <summary>Tags of message or thread, and where it came from.</summary>
    public required JsonElement Tags { get; init; }
    /// <summary>Metadata of the message.</summary>
    public required JsonElement Metadata { get; init; }
    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>The agent that answered.</summary>
    public required Guid? AgentId { get; init; }
    /// <summary>The runner that ran.</summary>
    public required Guid? RunnerId { get; init; }
    /// <summary>The thread of a turn.</summary>
    public required Guid? ThreadId { get; init; }
    /// <summary>The run of a runner.</summary>
    public required Guid? RunId { get; init; }
    /// <summary>The application's session, or one per thread.</summary>
    public required string SessionId { get; init; }
    /// <summary>Who asked.</summary>
    public required string? UserId { get; init; }

    internal static TraceResponse From(Trace trace) => new()
    {
        Id = trace.Id,
        Name = trace.Name,
        Status = trace.Status,
        StartedAt = trace.StartedAt,
        EndedAt = trace.EndedAt,
        DurationMs = LogValues.Duration(trace.StartedAt, trace.EndedAt),
        TotalInputTokens = trace.InputTokens,
        TotalOutputTokens = trace.OutputTokens,
        TotalCostUsd = LogValues.Money(trace.CostUsd),
        Tags = LogValues.Json(trace.Tags),
        Metadata = LogValues.Json(trace.Metadata),
        OrgId = trace.OrgId,
        AgentId = trace.AgentId,
        RunnerId = trace.RunnerId,
        ThreadId = trace.ThreadId,
        RunId = trace.RunId,
        SessionId = trace.SessionId,
        UserId = trace.UserId,
    };
}

/// <summary>One operation of a trace. Model calls are <see cref="ModelSpanResponse"/>s.</summary>
[JsonDerivedType(typeof(SpanResponse))]
[JsonDerivedType(typeof(ModelSpanResponse))]
public record SpanResponse
{
    /// <summary>UUID.</summary>
    [JsonPropertyOrder(-20)]
    public required Guid Id { get; init; }
    /// <summary>The trace it belongs to.</summary>
    [JsonPropertyOrder(-19)]
    public required Guid TraceId { get; init; }
    /// <summary>The operation it ran in; null for the root.</summary>
    [JsonPropertyOrder(-18)]
    public required Guid? ParentSpanId { get; init; }
    /// <summary><c>agent</c>, <c>llm</c>, <c>tool</c>, <c>mcp</c>, <c>webhook</c>, <c>chain</c> and more.</summary>
    [JsonPropertyOrder(-17)]
    public required string Kind { get; init; }
    /// <summary>Model id, tool name, or what a person would call it.</summary>
    [JsonPropertyOrder(-16)]
    public required string Name { get; init; }
    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    [JsonPropertyOrder(-15)]
    public required string Status { get; init; }
    /// <summary>When it began.</summary>
    [JsonPropertyOrder(-14)]
    public required DateTime StartedAt { get; init; }
    /// <summary>When it ended; null while it runs.</summary>
    [JsonPropertyOrder(-13)]
    public required DateTime? EndedAt { get; init; }
    /// <summary>What went in; cut above about 256 KB; null when contents are not captured.</summary>
    [JsonPropertyOrder(-12)]
    public required JsonElement? Input { get; init; }
    /// <summary>What came out.</summary>
    [JsonPropertyOrder(-11)]
    public required JsonElement? Output { get; init; }
    /// <summary>Why it failed.</summary>
    [JsonPropertyOrder(-10)]
    public required string? Error { get; init; }
    /// <summary>How long it took; null while it runs.</summary>
    [JsonPropertyOrder(-9)]
    public required long? DurationMs { get; init; }
    /// <summary>Further facts.</summary>
    [JsonPropertyOrder(-8)]
    public required JsonElement Attributes { get; init; }

    internal static SpanResponse From(Span span) => span.Kind == "llm"
        ? new ModelSpanResponse
        {
            Id = span.Id, TraceId = span.TraceId, ParentSpanId = span.ParentSpanId, Kind = span.Kind, Name = span.Name, Status = span.Status,
            StartedAt = span.StartedAt, EndedAt = span.EndedAt, Input = LogValues.JsonOrNull(span.Input), Output = LogValues.JsonOrNull(span.Output),
            Error = span.Error, DurationMs = LogValues.Duration(span.StartedAt, span.EndedAt), Attributes = LogValues.Json(span.Attributes),
            Provider = span.Provider, Model = span.Model, Temperature = span.Temperature, MaxTokens = span.MaxTokens, InputTokens = span.InputTokens,
            OutputTokens = span.OutputTokens, CachedInputTokens = span.CachedInputTokens, CostUsd = span.CostUsd is { } cost ? LogValues.Money(cost) : null,
            CredentialSource = span.CredentialSource,
        }
        : new SpanResponse
        {
            Id = span.Id, TraceId = span.TraceId, ParentSpanId = span.ParentSpanId, Kind = span.Kind, Name = span.Name, Status = span.Status,
            StartedAt = span.StartedAt, EndedAt = span.EndedAt, Input = LogValues.JsonOrNull(span.Input), Output = LogValues.JsonOrNull(span.Output),
            Error = span.Error, DurationMs = LogValues.Duration(span.StartedAt, span.EndedAt), Attributes = LogValues.Json(span.Attributes),
        };
}

/// <summary>A model call.</summary>
public sealed record ModelSpanResponse : SpanResponse
{
    /// <summary>The provider that was called.</summary>
    public required string? Provider { get; init; }
    /// <summary>Model id as requested.</summary>
    public required string? Model { get; init; }
    /// <summary>As sent.</summary>
    public required double? Temperature { get; init; }
    /// <summary>As sent.</summary>
    public required int? MaxTokens { get; init; }
    /// <summary>All prompt tokens, cached ones included.</summary>
    public required long? InputTokens { get; init; }
    /// <summary>Tokens of the answer.</summary>
    public required long? OutputTokens { get; init; }
    /// <summary>Prompt tokens read from a cache.</summary>
    public required long? CachedInputTokens { get; init; }
    /// <summary>Null when the model has no price.</summary>
    public required double? CostUsd { get; init; }
    /// <summary>Whose credential was used.</summary>
    public required string? CredentialSource { get; init; }
}

/// <summary>A judgement on a trace or one of its spans. <c>score</c>, <c>label</c> or both are required.</summary>
public sealed record EvaluationRequest
{
    /// <summary>What is judged, 1 to 200 characters. Required.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>A number.</summary>
    public Optional<double?> Score { get; init; }
    /// <summary>A word, at most 200 characters.</summary>
    public Optional<string> Label { get; init; }
    /// <summary>The span; default the trace's root span.</summary>
    public Optional<string> SpanId { get; init; }
    /// <summary>At most 4,000 characters.</summary>
    public Optional<string> Comment { get; init; }
    /// <summary><c>human</c> (default), <c>heuristic</c> or <c>llm_judge</c>; users are always human.</summary>
    public Optional<string> Source { get; init; }
}

/// <summary>A judgement on a trace or one of its spans.</summary>
public sealed record EvaluationResponse
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
    public required double? Score { get; init; }
    /// <summary>A word.</summary>
    public required string? Label { get; init; }
    /// <summary>Why.</summary>
    public required string? Comment { get; init; }
    /// <summary>The account that judged; null for keys.</summary>
    public required Guid? CreatedBy { get; init; }
    /// <summary>When.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static EvaluationResponse From(Evaluation evaluation) => new()
    {
        Id = evaluation.Id,
        TraceId = evaluation.TraceId,
        SpanId = evaluation.SpanId,
        Source = evaluation.Source,
        Name = evaluation.Name,
        Score = evaluation.Score,
        Label = evaluation.Label,
        Comment = evaluation.Comment,
        CreatedBy = evaluation.CreatedBy,
        CreatedAt = evaluation.CreatedAt,
    };
}

internal static class LogValues
{
    public static long? Duration(DateTime start, DateTime? end) => end is { } ended ? Math.Max(0, (long)(ended - start).TotalMilliseconds) : null;

    public static double Money(double usd) => Math.Round(usd, 6);

    public static JsonElement Json(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    public static JsonElement? JsonOrNull(string? json) => json is null ? null : Json(json);
}
