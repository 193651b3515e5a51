using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Ends turns from outside.</summary>
internal sealed class TurnStops(TurnHost host, PendingActions pending, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Stops what runs in the thread and drops what waits for the client. Done also when there was nothing to do.</summary>
    public async Task StopAsync(ConversationThread thread, CancellationToken cancellationToken)
    {
        if (thread.PendingTurnId is { } waiting) await pending.DropAsync(thread, waiting, stopped: true);
        if (thread.ActiveTurnId is { } running) await StopTurnAsync(running, cancellationToken);
    }

    /// <summary>Stops a running turn and waits until it is stored, at most two seconds.</summary>
    public async Task StopTurnAsync(Guid turnId, CancellationToken cancellationToken)
    {
        if (host.Find(turnId) is not { } run) return;
        run.Stop();
        try
        {
            await run.Live.Ended.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // A tool that ignores its cancellation; the turn ends when it does, and its stream has been told.
        }
    }
}

/// <summary>Turns that wait for tool results from the client.</summary>
internal sealed class PendingActions(IWriter writer, Databases databases, TimeProvider time)
{
    /// <summary>Ends a waiting turn: its open calls get a result, its text so far becomes the answer, the thread is free.</summary>
    public async Task DropAsync(ConversationThread thread, Guid turnId, bool stopped)
    {
        var now = time.Now();
        await using var db = databases.Open(thread.OrgId);
        var turn = await Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions.FirstOrDefaultAsync(db.Turns.Where(t => t.Id == turnId));
        var claim = await writer.WriteAsync([TurnSql.DropPending(thread.Id, turnId, now)]);
        if (turn?.Progress is not { } stored || claim.Returned is not { } lastSeq) return;
        var progress = TurnProgress.Parse(stored);
        var unit = new List<SqlStatement> { TurnSql.CloseCalls(thread.Id, turnId, stopped ? """{"error":"CANCELLED"}""" : """{"error":"CANCELLED_BY_USER"}""") };
        if (progress.Text.Length > 0)
        {
            unit.Add(TurnSql.InsertMessage(new()
            {
                Id = Ids.New(),
                OrgId = thread.OrgId,
                ThreadId = thread.Id,
                TurnId = turnId,
                Seq = ++lastSeq,
                Role = MessageRoles.Assistant,
                Content = progress.Text,
                // Its text stands in its steps; the model must not read it twice.
                TailStart = progress.Text.Length,
                Stopped = stopped,
                InputTokens = progress.Usage.InputTokens,
                OutputTokens = progress.Usage.OutputTokens,
                CacheReadTokens = progress.Usage.CacheReadTokens,
                CacheWriteTokens = progress.Usage.CacheWriteTokens,
                CostUsd = (double?)progress.CostUsd,
                CreatedAt = now,
            }));
        }
        unit.Add(TurnSql.EndTurn(thread.Id, turnId, TurnStatuses.Stopped, "stopped", null, now, null));
        unit.Add(TurnSql.CloseTrace(thread.Id, turnId, "ok", now));
        unit.Add(TurnSql.Release(thread.Id, turnId, lastSeq, now));
        await writer.WriteAsync([.. unit]);
    }
}
