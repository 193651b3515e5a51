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
            var chain = new TurnSpan { Id = Ids.New(), Kind = "chain", Name = group, StartedAt = call.StartedAt, EndedAt = call.EndedAt, Error = call.Error };
            db.Spans.AddRange(Span.Of(orgId, traceId, root, chain, null, withContent: false), Span.Of(orgId, traceId, chain.Id, call, call.Model, withContent: false));
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

    [LoggerMessage(1, LogLevel.Warning, "What was done for a turn behind its end is missing in trace {TraceId}")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid traceId);
}
