using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Logs;

/// <summary>Adds model calls that were made for a turn behind its end to its trace, with what they cost.</summary>
/// <remarks>They show no texts: a thread that is deleted meanwhile takes the texts of its traces along.</remarks>
internal sealed partial class LateSpans(Databases databases, ILogger<LateSpans> logger)
{
    /// <summary>Adds a call in a group of its own. Nothing is added to a trace that is gone, and what fails is told to the log: the work itself is done.</summary>
    public async Task AddAsync(Guid orgId, Guid traceId, string group, TurnSpan call)
    {
        try
        {
            await using var db = databases.Open(orgId);
            await using var transaction = await db.Database.BeginTransactionAsync();
            if (await CountAsync(db, traceId, call) == 0) return;
            var root = await db.Spans.Where(s => s.TraceId == traceId && s.ParentSpanId == null).Select(s => (Guid?)s.Id).FirstOrDefaultAsync();
            var parent = SpanOf(orgId, traceId, root, call, Ids.New(), "chain", group);
            db.Spans.AddRange(parent, SpanOf(orgId, traceId, parent.Id, call, call.Id, call.Kind, call.Name));
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, traceId);
        }
    }

    // First: it locks the trace, so nothing is added to one that is being erased.
    private static Task<int> CountAsync(FlapjackDb db, Guid traceId, TurnSpan call)
    {
        var (usage, cost, errors) = (call.Model?.Usage ?? default, (double)(call.Model?.CostUsd ?? 0), call.Error is null ? 0 : 2);
        return db.Traces.Where(t => t.Id == traceId).ExecuteUpdateAsync(trace => trace
            .SetProperty(t => t.InputTokens, t => t.InputTokens + usage.InputTokens)
            .SetProperty(t => t.OutputTokens, t => t.OutputTokens + usage.OutputTokens)
            .SetProperty(t => t.CostUsd, t => t.CostUsd + cost)
            .SetProperty(t => t.SpanCount, t => t.SpanCount + 2)
            .SetProperty(t => t.LlmCallCount, t => t.LlmCallCount + 1)
            .SetProperty(t => t.ErrorCount, t => t.ErrorCount + errors));
    }

    private static Span SpanOf(Guid orgId, Guid traceId, Guid? parent, TurnSpan call, Guid id, string kind, string name)
    {
        var model = kind == call.Kind ? call.Model : null;
        return new()
        {
            Id = id,
            OrgId = orgId,
            TraceId = traceId,
            ParentSpanId = parent,
            Kind = kind,
            Name = name,
            Status = call.Error is null ? "ok" : "error",
            StartedAt = Clock.Truncate(call.StartedAt),
            EndedAt = Clock.Truncate(call.EndedAt),
            Error = call.Error,
            Provider = model?.Provider,
            Model = model?.Model,
            MaxTokens = model?.MaxTokens,
            InputTokens = model?.Usage.InputTokens,
            OutputTokens = model?.Usage.OutputTokens,
            CachedInputTokens = model?.Usage.CacheReadTokens,
            CostUsd = (double?)model?.CostUsd,
            CredentialSource = model?.CredentialSource,
        };
    }

    [LoggerMessage(1, LogLevel.Warning, "What was done for a turn behind its end is missing in trace {TraceId}")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid traceId);
}
