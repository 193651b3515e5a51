using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Logs;

/// <summary>What one turn did and cost. Its id is the turn's id.</summary>
internal sealed class Trace : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public Guid? AgentId { get; init; }
    public Guid? RunnerId { get; init; }
    public Guid? ThreadId { get; init; }
    public Guid? RunId { get; init; }
    public required string SessionId { get; init; }
    public string? UserId { get; init; }
    public required string Name { get; init; }

    /// <summary><c>running</c>, <c>ok</c> or <c>error</c>.</summary>
    public required string Status { get; set; }

    public required DateTime StartedAt { get; init; }
    public DateTime? EndedAt { get; set; }
    public long InputTokens { get; set; }
    public long OutputTokens { get; set; }
    public double CostUsd { get; set; }

    /// <summary>JSON array of texts.</summary>
    public string Tags { get; init; } = "[]";

    /// <summary>JSON object.</summary>
    public string Metadata { get; init; } = "{}";

    public int SpanCount { get; set; }
    public int ErrorCount { get; set; }
    public int LlmCallCount { get; set; }
    public int ToolCallCount { get; set; }
}

/// <summary>One operation of a trace.</summary>
internal sealed class Span : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid TraceId { get; init; }
    public Guid? ParentSpanId { get; init; }
    public required string Kind { get; init; }
    public required string Name { get; init; }
    public required string Status { get; init; }
    public required DateTime StartedAt { get; init; }
    public DateTime? EndedAt { get; init; }
    public string? Input { get; set; }
    public string? Output { get; set; }
    public string? Error { get; init; }
    public string Attributes { get; init; } = "{}";
    public string? Provider { get; init; }
    public string? Model { get; init; }
    public double? Temperature { get; init; }
    public int? MaxTokens { get; init; }
    public long? InputTokens { get; init; }
    public long? OutputTokens { get; init; }
    public long? CachedInputTokens { get; init; }
    public double? CostUsd { get; init; }
    public string? CredentialSource { get; init; }

    /// <summary>The row of an operation.</summary>
    /// <param name="orgId">The organisation.</param>
    /// <param name="traceId">The trace it belongs to.</param>
    /// <param name="parent">What it ran in.</param>
    /// <param name="span">The operation.</param>
    /// <param name="model">Its model side, with provider and credential; null when it called none.</param>
    /// <param name="withContent">Whether its input and output are kept.</param>
    public static Span Of(Guid orgId, Guid traceId, Guid? parent, TurnSpan span, ModelCall? model, bool withContent) => new()
    {
        Id = span.Id,
        OrgId = orgId,
        TraceId = traceId,
        ParentSpanId = parent,
        Kind = span.Kind,
        Name = span.Name,
        Status = span.Error is null ? "ok" : "error",
        StartedAt = Clock.Truncate(span.StartedAt),
        EndedAt = Clock.Truncate(span.EndedAt),
        Input = withContent ? span.Input?.GetRawText() : null,
        Output = withContent ? span.Output?.GetRawText() : null,
        Error = span.Error,
        Attributes = model is { HistoryMessages: > 0 } ? $$"""{"history_messages":{{model.HistoryMessages}}}""" : "{}",
        Provider = model?.Provider,
        Model = model?.Model,
        Temperature = model?.Temperature,
        MaxTokens = model?.MaxTokens,
        InputTokens = model?.Usage.InputTokens,
        OutputTokens = model?.Usage.OutputTokens,
        CachedInputTokens = model?.Usage.CacheReadTokens,
        CostUsd = (double?)model?.CostUsd,
        CredentialSource = model?.CredentialSource,
    };
}

/// <summary>A judgement on a trace or one of its spans.</summary>
internal sealed class Evaluation : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid TraceId { get; init; }
    public required Guid SpanId { get; init; }
    public required string Source { get; init; }
    public required string Name { get; init; }
    public double? Score { get; init; }
    public string? Label { get; init; }
    public string? Comment { get; init; }
    public Guid? CreatedBy { get; init; }
    public required DateTime CreatedAt { get; init; }
}

internal sealed class TraceMapping : IEntityTypeConfiguration<Trace>
{
    public void Configure(EntityTypeBuilder<Trace> builder)
    {
        builder.ToTable("log_traces");
        builder.HasIndex(t => new { t.OrgId, t.StartedAt });
        builder.HasIndex(t => new { t.ThreadId, t.StartedAt });
    }
}

internal sealed class SpanMapping : IEntityTypeConfiguration<Span>
{
    public void Configure(EntityTypeBuilder<Span> builder)
    {
        builder.ToTable("log_spans");
        builder.HasIndex(s => s.TraceId);
    }
}

internal sealed class EvaluationMapping : IEntityTypeConfiguration<Evaluation>
{
    public void Configure(EntityTypeBuilder<Evaluation> builder)
    {
        builder.ToTable("log_evaluations");
        builder.HasIndex(e => e.TraceId);
    }
}
