using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Threads.Streams.Relay;

/// <summary>The streams of other nodes that clients of this one listen to. A stream comes over once, however many listen, and only while somebody does.</summary>
internal sealed class StreamMirrors
{
    private const int Attempts = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, StreamMirror> _mirrors = [];
    private readonly ISignals _signals;
    private readonly TimeProvider _time;

    public StreamMirrors(ISignals signals, Draining draining, TimeProvider time)
    {
        (_signals, _time) = (signals, time);
        signals.On(EventsNote.Topic, signal => Hear(EventsNote.Parse(signal.Body)));
        signals.OnMissed(() => ForEach(mirror => mirror.Listen(ListenWish.Again)));
        // The turns go on elsewhere; their listeners come back through another node.
        draining.GraceOver.UnsafeRegister(_ => ForEach(mirror => mirror.Break()), null);
    }

    /// <summary>Listens to a stream of another node. Nothing when that node does not have it; <c>IsSilent</c> when it is gone or does not answer within two seconds.</summary>
    public async Task<(FoundStream? Stream, bool IsSilent)> OpenAsync(string owner, StreamSource source, StreamPick pick, CancellationToken cancellationToken)
    {
        if (!await _signals.ReachesAsync(owner, cancellationToken)) return (null, true);
        var mirror = Join(owner, source, pick);
        var found = false;
        try
        {
            if (await AskAsync(mirror, cancellationToken) is not { } copy) return (null, !mirror.Found.IsCompleted);
            if (pick.After is { } last) await ArrivedAsync(copy, last, cancellationToken);
            found = true;
            return (new(copy, () => Leave(mirror)), false);
        }
        finally
        {
            if (!found) Leave(mirror);
        }
    }

    /// <summary>One round: says that somebody still listens, and gives up owners that have been silent for too long.</summary>
    public void Round() => ForEach(mirror =>
    {
        if (mirror.CountUnheard() > RelayRounds.SilentRounds) mirror.Break();
        else mirror.Listen(ListenWish.Word);
    });

    private StreamMirror Join(string owner, StreamSource source, StreamPick pick)
    {
        lock (_lock)
        {
            var mirror = _mirrors.Values.FirstOrDefault(m => m.Serves(source, pick));
            if (mirror is null)
            {
                mirror = new(owner, source, pick, _signals, _time);
                _mirrors.Add(mirror.Id, mirror);
            }
            mirror.Listeners++;
            return mirror;
        }
    }

    private void Leave(StreamMirror mirror)
    {
        lock (_lock)
        {
            if (--mirror.Listeners > 0) return;
            _mirrors.Remove(mirror.Id);
        }
        mirror.Leave();
    }

    private async Task<LiveTurn?> AskAsync(StreamMirror mirror, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts && !mirror.Found.IsCompleted; attempt++)
        {
            mirror.Listen(ListenWish.Word);
            try
            {
                return await mirror.Found.WaitAsync(Patience, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Lost, or the owner is gone.
            }
        }
        return mirror.Found.IsCompleted ? await mirror.Found : null;
    }

    // Where the client goes on is known only when its last event is here.
    private static async Task ArrivedAsync(LiveTurn copy, long sequence, CancellationToken cancellationToken)
    {
        while (copy.PositionAfter(sequence) is null && !copy.IsEnded) await copy.WaitAsync(copy.Read(0, out _).Length).WaitAsync(cancellationToken);
    }

    private void Hear(EventsNote note)
    {
        StreamMirror? mirror;
        lock (_lock) _mirrors.TryGetValue(note.Relay, out mirror);
        if (mirror is not null) mirror.Hear(note);
    }

    private void ForEach(Action<StreamMirror> act)
    {
        StreamMirror[] mirrors;
        lock (_lock) mirrors = [.. _mirrors.Values];
        foreach (var mirror in mirrors) act(mirror);
    }
}
