using System.Collections.Concurrent;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Threads.Streams;

/// <summary>The turns of this node: those that run, and those that ended a short while ago and can still be replayed, within a bound of time and memory.</summary>
internal sealed class LiveTurns(ServerSettings settings, TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, LiveTurn> _turns = new();
    private readonly Lock _ending = new();
    private readonly Queue<LiveTurn> _ended = new();
    private long _endedBytes;

    private DateTime Oldest => time.Now() - settings.Turns.StreamRetention;

    public void Add(LiveTurn turn) => _turns[turn.TurnId] = turn;

    public LiveTurn? Find(Guid turnId, Guid orgId) => _turns.TryGetValue(turnId, out var turn) && turn.OrgId == orgId && !(turn.IsEnded && turn.EndedAt < Oldest) ? turn : null;

    /// <summary>Forgets a stream that broke off.</summary>
    public void Forget(LiveTurn turn) => _turns.TryRemove(new(turn.TurnId, turn));

    public void End(LiveTurn turn)
    {
        turn.End(time.Now());
        lock (_ending)
        {
            _ended.Enqueue(turn);
            _endedBytes += turn.Bytes;
        }
        Trim();
    }

    /// <summary>Forgets ended turns that are too old or too many.</summary>
    public void Trim()
    {
        var oldest = Oldest;
        lock (_ending)
        {
            while (_ended.TryPeek(out var turn) && (turn.EndedAt < oldest || _endedBytes > settings.Turns.StreamRetentionBytes))
            {
                _ended.Dequeue();
                _endedBytes -= turn.Bytes;
                // Unless a later stream of the turn has taken its place.
                _turns.TryRemove(new(turn.TurnId, turn));
            }
        }
    }
}
