using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Logs;

/// <summary>A model call that belongs to no turn, such as the review of an agent, as a trace of its own: a root and the call under it. It shows no texts.</summary>
/// <param name="OrgId">Who pays.</param>
/// <param name="AgentId">The agent it was made for.</param>
/// <param name="Name">What it was made for, as lists of traces name it.</param>
/// <param name="UserId">Who wanted it; null for API keys.</param>
/// <param name="Call">The call, ended.</param>
internal sealed record CallTrace(Guid OrgId, Guid AgentId, string Name, string? UserId, TurnSpan Call)
{
    public void AddTo(FlapjackDb db)
    {
        var (id, usage) = (Ids.New(), Call.Model?.Usage ?? default);
        var root = new TurnSpan { Id = Ids.New(), Kind = "chain", Name = Name, StartedAt = Call.StartedAt, EndedAt = Call.EndedAt, Error = Call.Error };
        db.Traces.Add(new()
        {
            Id = id,
            OrgId = OrgId,
            AgentId = AgentId,
            SessionId = $"sess_{id}",
            UserId = UserId,
            Name = Name,
            Status = Call.Error is null ? "ok" : "error",
            StartedAt = Clock.Truncate(Call.StartedAt),
            EndedAt = Clock.Truncate(Call.EndedAt),
            InputTokens = usage.InputTokens,
            OutputTokens = usage.OutputTokens,
            CostUsd = (double)(Call.Model?.CostUsd ?? 0),
            Tags = """["source:api"]""",
            SpanCount = 2,
            ErrorCount = Call.Error is null ? 0 : 2,
            LlmCallCount = 1,
        });
        db.Spans.AddRange(Span.Of(OrgId, id, null, root, null, withContent: false), Span.Of(OrgId, id, root.Id, Call, Call.Model, withContent: false));
    }
}

/// <summary>Writes down calls whose work was not stored, so that what they cost is seen all the same.</summary>
internal sealed partial class CallTraces(Databases databases, ILogger<CallTraces> logger)
{
    /// <summary>What fails is told to the log: the caller has a failure of its own to report.</summary>
    public async Task RecordAsync(CallTrace trace)
    {
        try
        {
            await using var db = databases.Open(trace.OrgId);
            trace.AddTo(db);
            await db.SaveChangesAsync(CancellationToken.None);
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, trace.Name, trace.AgentId);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The trace of a call ({Name}) for agent {AgentId} could not be stored")]
    private static partial void LogFailed(ILogger logger, Exception exception, string name, Guid agentId);
}
