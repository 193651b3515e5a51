using System.Collections.Concurrent;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Streams;

/// <summary>The streams of this node's turns: those that run, and those that ended a short while ago and can still be replayed, within a bound of time and memory.</summary>
internal sealed class LiveTurns(ServerSettings settings, ThreadChanges changes, TimeProvider time)
{
    // Oldest first. A turn has more than one stream only when its client runs tools.
    private readonly ConcurrentDictionary<Guid, LiveTurn[]> _turns = new();
    private readonly Lock _ending = new();
    private readonly Queue<LiveTurn> _ended = new();
    private long _endedBytes;

    private DateTime Oldest => time.Now() - settings.Turns.StreamRetention;

    public void Add(LiveTurn turn)
    {
        _turns.AddOrUpdate(turn.TurnId, static (_, added) => [added], static (_, streams, added) => [.. streams, added], turn);
        // A turn that goes on left the client it waited for, which a node that waits for the thread cannot see.
        if (turn.FirstSequence > 1) changes.RaiseEverywhere(turn.ThreadId);
        else changes.Raise(turn.ThreadId);
    }

    /// <summary>The newest stream of the turn that fits.</summary>
    public LiveTurn? Find(Guid turnId, Guid orgId, StreamPick pick = default)
    {
        if (!_turns.TryGetValue(turnId, out var streams)) return null;
        for (var i = streams.Length - 1; i >= 0; i--)
        {
            if (streams[i].OrgId == orgId && !IsForgotten(streams[i]) && pick.Fits(streams[i])) return streams[i];
        }
        return null;
    }

    /// <summary>Forgets a stream that broke off.</summary>
    public void Forget(LiveTurn turn) => Remove(turn);

    public void End(LiveTurn turn)
    {
        turn.End(time.Now());
        changes.Raise(turn.ThreadId);
        lock (_ending)
        {
            _ended.Enqueue(turn);
            _endedBytes += turn.Bytes;
        }
        Trim();
    }

    /// <summary>Forgets ended streams that are too old or too many.</summary>
    public void Trim()
    {
        lock (_ending)
        {
            while (_ended.TryPeek(out var turn) && (IsForgotten(turn) || _endedBytes > settings.Turns.StreamRetentionBytes))
            {
                _ended.Dequeue();
                _endedBytes -= turn.Bytes;
                Remove(turn);
            }
        }
    }

    private bool IsForgotten(LiveTurn stream) => stream.IsEnded && stream.EndedAt < Oldest;

    private void Remove(LiveTurn stream)
    {
        while (_turns.TryGetValue(stream.TurnId, out var streams))
        {
            var rest = Array.FindAll(streams, other => other != stream);
            if (rest.Length == 0 ? _turns.TryRemove(new(stream.TurnId, streams)) : _turns.TryUpdate(stream.TurnId, rest, streams)) return;
        }
    }
}
