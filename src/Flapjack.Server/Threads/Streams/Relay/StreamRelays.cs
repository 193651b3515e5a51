using System.Collections.Concurrent;
using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Threads.Streams.Relay;

/// <summary>The streams of this node that other nodes listen to.</summary>
internal sealed class StreamRelays
{
    private readonly ConcurrentDictionary<Guid, StreamRelay> _relays = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly LiveTurns _live;
    private readonly ISignals _signals;

    public StreamRelays(LiveTurns live, ISignals signals)
    {
        (_live, _signals) = (live, signals);
        signals.On(ListenNote.Topic, signal => Hear(signal.Sender, ListenNote.Parse(signal.Body)));
        signals.On(RelayText.LeaveTopic, signal => Leave(Guid.Parse(signal.Body)));
    }

    /// <summary>Completes when what there was to send has been handed over; for a node that ends, when its turns have ended.</summary>
    public Task FinishAsync() => Task.WhenAll(_running.Keys);

    /// <summary>One round: readers that have been silent for too long count as gone, so that a dead node keeps no turn alive.</summary>
    public void Round()
    {
        foreach (var (id, relay) in _relays)
        {
            if (relay.CountUnheard() > RelayRounds.SilentRounds) Leave(id);
        }
    }

    private void Hear(string reader, ListenNote note)
    {
        if (_relays.TryGetValue(note.Relay, out var relay)) relay.Hear(note);
        else if (_live.Find(note.Turn, note.Org, note.Pick) is not { } stream) _signals.Send(reader, EventsNote.Topic, EventsNote.Unknown(note.Relay).ToString());
        else Begin(note.Relay, new StreamRelay(note.Relay, reader, stream, note.Position, _signals));
    }

    private void Begin(Guid id, StreamRelay relay)
    {
        _relays[id] = relay;
        var run = RunAsync(id, relay);
        if (!run.IsCompleted && _running.TryAdd(run, 0)) _ = run.ContinueWith(static (done, running) => ((ConcurrentDictionary<Task, byte>)running!).TryRemove(done, out _), _running, TaskScheduler.Default);
    }

    private async Task RunAsync(Guid id, StreamRelay relay)
    {
        try
        {
            await relay.RunAsync();
        }
        finally
        {
            _relays.TryRemove(new(id, relay));
        }
    }

    private void Leave(Guid id)
    {
        if (_relays.TryGetValue(id, out var relay)) relay.Leave();
    }
}
