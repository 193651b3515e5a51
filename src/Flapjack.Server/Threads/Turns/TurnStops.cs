using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Ends turns from outside.</summary>
internal sealed class TurnStops(TurnHost host, PendingActions pending, TurnSignals signals, ThreadChanges changes, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Stops what runs in the thread and drops what waits for the client. Done also when there was nothing to do.</summary>
    public async Task StopAsync(ConversationThread thread, CancellationToken cancellationToken)
    {
        if ((thread.ActiveTurnId ?? thread.PendingTurnId) is not { } turn) return;
        await StopTurnAsync(thread, turn, cancellationToken);
        // In any case: it may have begun to wait for the client just before it heard of the stop.
        await pending.DropAsync(thread, turn, stopped: true);
    }

    /// <summary>Stops a running turn, on whichever node, and waits until it is stored, at most two seconds. False when it may still run.</summary>
    public Task<bool> StopTurnAsync(ConversationThread thread, Guid turnId, CancellationToken cancellationToken) =>
        host.Find(turnId) is { } run ? StopHereAsync(run, cancellationToken) : StopElsewhereAsync(thread, turnId, cancellationToken);

    private async Task<bool> StopHereAsync(TurnRun run, CancellationToken cancellationToken)
    {
        run.Stop();
        try
        {
            await run.Live.Ended.WaitAsync(Patience, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            // A tool that ignores its cancellation; the turn ends when it does, and its stream has been told.
            return false;
        }
    }

    private async Task<bool> StopElsewhereAsync(ConversationThread thread, Guid turnId, CancellationToken cancellationToken)
    {
        using var watch = changes.Watch(thread.Id);
        if (await signals.OwnerAsync(thread.OrgId, turnId, cancellationToken) is not { } node) return true;
        // Here it is about to begin. A node that does not hear is dead or cut off; its turns end with their lease.
        if (signals.IsHere(node) || !await signals.ReachesAsync(node, cancellationToken)) return false;
        var until = time.Now() + Patience;
        for (var asked = 0; until - time.Now() is { Ticks: > 0 } left; asked++)
        {
            // Asked again when the node answers and the turn still stands there: it was about to begin.
            if (asked < TurnSignals.MaxAsked) signals.Stop(node, turnId);
            if (asked < TurnSignals.MaxAsked) signals.Watch(node, turnId, thread.Id);
            if (!await watch.NextAsync(left, time, cancellationToken)) return false;
            if (await signals.OwnerAsync(thread.OrgId, turnId, cancellationToken) != node) return true;
        }
        return false;
    }
}

/// <summary>Turns that wait for tool results from the client.</summary>
internal sealed class PendingActions(IWriter writer, TurnStore store, TurnTraces traces, Databases databases, ThreadChanges changes, TimeProvider time)
{
    /// <summary>Ends a waiting turn: its open calls get a result, its text so far becomes the answer, the thread is free.</summary>
    public async Task DropAsync(ConversationThread thread, Guid turnId, bool stopped)
    {
        // Taken first, so that no results get in between. A crash from here on leaves a turn without a node, which the leases end.
        if (await store.TakePendingAsync(thread.Id, turnId) is not { } lastSeq) return;
        var now = time.Now();
        await using var db = databases.Open(thread.OrgId);
        var turn = await db.Turns.AsNoTracking().FirstAsync(t => t.Id == turnId);
        // Null when the turn waited so long that its trace was cleared away.
        var trace = await db.Traces.AsNoTracking().FirstOrDefaultAsync(t => t.Id == turnId);
        var progress = TurnProgress.Parse(turn.Progress!);
        var unit = new List<SqlStatement> { TurnSql.Guard(thread.Id, turnId, turn.Fence), TurnSql.CloseCalls(thread.Id, turnId, stopped ? """{"error":"CANCELLED"}""" : """{"error":"CANCELLED_BY_USER"}""") };
        if (progress.Text.Length > 0)
        {
            var speaker = await MessageSender.OfAnswerAsync(db, turn);
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
                SenderName = speaker.Name,
                SenderId = speaker.Id,
                Model = progress.Model,
                InputTokens = progress.Usage.InputTokens,
                OutputTokens = progress.Usage.OutputTokens,
                CacheReadTokens = progress.Usage.CacheReadTokens,
                CacheWriteTokens = progress.Usage.CacheWriteTokens,
                CostUsd = (double?)progress.CostUsd,
                CreatedAt = now,
            }));
        }
        unit.Add(TurnSql.EndTurn(thread.Id, turnId, TurnStatuses.Stopped, "stopped", null, now, null, null));
        if (trace is not null)
        {
            unit.Add(TurnSql.StopTrace(thread.Id, turnId, TurnTraces.WithStopped(trace.Tags), now));
            unit.Add(TurnSql.InsertSpan(thread.Id, await RootAsync(db, turn, progress, now)));
        }
        unit.Add(TurnSql.Release(thread.Id, turnId, lastSeq, now));
        await writer.WriteAsync([.. unit]);
        changes.RaiseEverywhere(thread.Id);
    }

    private async Task<Logs.Span> RootAsync(FlapjackDb db, Turn turn, TurnProgress progress, DateTime now) => traces.Root(
        progress.RootSpanId, turn, await db.Agents.Where(a => a.Id == turn.AgentId).Select(a => a.Name).FirstOrDefaultAsync() ?? "", progress.Input, progress.Text, now);
}
