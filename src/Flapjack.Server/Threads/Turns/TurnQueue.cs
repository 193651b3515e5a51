using System.Collections.Concurrent;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Streams;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>What happens to a message when its thread is busy: refuse it, let it wait its turn, or stop what runs.</summary>
internal sealed class TurnQueue(TurnStops stops, TurnSignals signals, ThreadChanges changes, Databases databases, IdempotencyStore claims, TimeProvider time)
{
    private const int MaxWaiting = 10, MaxAttempts = 200, MaxMisses = 5;
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Whoever waits is told of changes; this is for signals that are lost, and for results that come too late.</summary>
    private static readonly TimeSpan SafetyPoll = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<Guid, Line> _lines = new();

    /// <summary>Begins the turn as <c>onBusy</c> says.</summary>
    /// <param name="thread">The busy thread.</param>
    /// <param name="draft">The message.</param>
    /// <param name="client">Who waits; a queued stream sends its headers at once.</param>
    /// <param name="begin">Drops the turn that waits for the client, if one is named, and tries to begin; null while the thread is busy.</param>
    public async Task<LiveTurn> BeginWhenFreeAsync(ConversationThread thread, MessageDraft draft, ClientConnection client, Func<Guid?, Task<LiveTurn?>> begin)
    {
        if (draft.OnBusy == "queue") return await QueueAsync(thread, draft, client, begin);
        using var watch = changes.Watch(thread.Id);
        var (last, misses) = (thread.ActiveTurnId, 0);
        for (var attempt = 0; attempt < MaxAttempts && misses < MaxMisses; attempt++)
        {
            var (active, pending, _) = await OwnersAsync(thread, client.Left);
            if (active is { } running)
            {
                if (draft.OnBusy == "reject") throw TurnOpening.Busy(running);
                last = running;
                if (!await stops.StopTurnAsync(thread, running, client.Left))
                {
                    // About to begin, deaf, or on a node that is gone.
                    misses++;
                    await watch.NextAsync(ShortPause, time, client.Left);
                }
            }
            if (await begin(pending) is { } live) return live;
        }
        throw TurnOpening.Busy(last ?? Guid.Empty);
    }

    private async Task<LiveTurn> QueueAsync(ConversationThread thread, MessageDraft draft, ClientConnection client, Func<Guid?, Task<LiveTurn?>> begin)
    {
        var line = _lines.GetOrAdd(thread.Id, static _ => new Line());
        if (Interlocked.Increment(ref line.Waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref line.Waiting);
            throw TurnOpening.Busy(thread.ActiveTurnId ?? thread.PendingTurnId ?? Guid.Empty);
        }
        try
        {
            var place = await TakePlaceAsync(line, draft, client);
            var turn = WaitAsync(thread, line, place, begin, client.Left);
            // Hours may pass: a repeat under the same key must not take this message for a dead node's.
            if (client.Claim is { } claim) _ = claims.RenewUntilAsync(turn, claim);
            try
            {
                if (draft.Stream) await client.SendCommentsUntilAsync(turn);
                return await turn;
            }
            catch (OperationCanceledException)
            {
                _ = AbandonAsync(turn);
                throw;
            }
        }
        catch (ApiException refusal) when (draft.Stream)
        {
            // The status is sent; what happened meanwhile can only be an event.
            var refused = new LiveTurn(Ids.New(), thread.OrgId, thread.Id);
            TurnEventJson.Append(refused, TurnEventJson.Error(refusal.Status == 503 ? "SERVER_SHUTDOWN" : "INTERNAL_ERROR", refusal.Detail, default, null));
            refused.End(time.Now());
            return refused;
        }
        finally
        {
            if (Interlocked.Decrement(ref line.Waiting) == 0) _lines.TryRemove(new(thread.Id, line));
        }
    }

    // The place before the headers: who sees them may send the next message, which stands behind this one. The rest after them, since what goes wrong then is an event.
    private static async Task<Task> TakePlaceAsync(Line line, MessageDraft draft, ClientConnection client)
    {
        var place = line.Head.WaitAsync(client.Left);
        try
        {
            if (draft.Stream) await client.StartEventsAsync();
            return place;
        }
        catch
        {
            _ = GiveUpAsync(line, place);
            throw;
        }
    }

    private static async Task GiveUpAsync(Line line, Task place)
    {
        await place.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (place.IsCompletedSuccessfully) line.Head.Release();
    }

    // The client left at the very moment its turn began: nobody else would tell the turn.
    private static async Task AbandonAsync(Task<LiveTurn> turn)
    {
        await ((Task)turn).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!turn.IsCompletedSuccessfully) return;
        (await turn).RemoveReader();
    }

    // First come, first served: only the head of the line tries.
    private async Task<LiveTurn> WaitAsync(ConversationThread thread, Line line, Task place, Func<Guid?, Task<LiveTurn?>> begin, CancellationToken cancellationToken)
    {
        await place;
        try
        {
            using var watch = changes.Watch(thread.Id);
            (Guid? Turn, int Times) asked = default;
            while (true)
            {
                // Whoever queues wants the turns before it to end well, so it waits for the client's results too.
                var (active, pending, expiresAt) = await OwnersAsync(thread, cancellationToken);
                var expired = pending is not null && expiresAt <= time.Now();
                if (active is null && (pending is null || expired))
                {
                    // Its client may have left while something else woke it: then nobody wants the answer.
                    cancellationToken.ThrowIfCancellationRequested();
                    if (await begin(pending) is { } live) return live;
                    // Another node was faster; see which.
                    continue;
                }
                asked = (active, asked.Turn == active ? asked.Times + 1 : 1);
                if (active is { } running && asked.Times <= TurnSignals.MaxAsked)
                {
                    // It ended between the two looks.
                    if (await signals.OwnerAsync(thread.OrgId, running, cancellationToken) is not { } node) continue;
                    if (!signals.IsHere(node)) signals.Watch(node, running, thread.Id);
                }
                if (!await watch.NextAsync(SafetyPoll, time, cancellationToken)) asked = default;
            }
        }
        finally
        {
            line.Head.Release();
        }
    }

    private async Task<(Guid? Active, Guid? Pending, DateTime? PendingExpiresAt)> OwnersAsync(ConversationThread thread, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(thread.OrgId);
        var row = await db.Threads.AsNoTracking().Where(t => t.Id == thread.Id).Select(t => new { t.Status, t.ActiveTurnId, t.PendingTurnId, t.PendingExpiresAt }).FirstOrDefaultAsync(cancellationToken) ?? throw ApiException.NotFound("Thread");
        return row.Status == "active" ? (row.ActiveTurnId, row.PendingTurnId, row.PendingExpiresAt) : throw ApiException.Conflict("the thread is archived");
    }

#pragma warning disable CA1001 // Without a wait handle a semaphore holds nothing to release, and a late comer may still stand in a removed line.
    private sealed class Line
#pragma warning restore CA1001
    {
        public readonly SemaphoreSlim Head = new(1, 1);
        public int Waiting;
    }
}
