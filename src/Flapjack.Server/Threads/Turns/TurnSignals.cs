using System.Collections.Concurrent;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>What nodes tell each other about running turns: stop this one, and tell me when it is over.</summary>
internal sealed class TurnSignals
{
    private const string StopTopic = "turn.stop", WatchTopic = "turn.watch";
    private readonly TurnHost _host;
    private readonly ISignals _signals;
    private readonly NodeName _self;
    private readonly Databases _databases;
    private readonly ConcurrentDictionary<(Guid Turn, string Node), byte> _watchers = new();

    public TurnSignals(TurnHost host, ISignals signals, NodeName self, Databases databases)
    {
        (_host, _signals, _self, _databases) = (host, signals, self, databases);
        signals.On(StopTopic, signal => _host.Find(Guid.Parse(signal.Body))?.Stop());
        signals.On(WatchTopic, signal => Answer(signal.Sender, Guid.Parse(signal.Body.AsSpan(0, 36)), signal.Body[37..]));
    }

    /// <summary>True for this node's name.</summary>
    public bool IsHere(string node) => node == _self.Value;

    /// <summary>The node that has a running turn of the organisation; null when the turn does not run any more.</summary>
    public async ValueTask<string?> OwnerAsync(Guid orgId, Guid turnId, CancellationToken cancellationToken)
    {
        await using var db = _databases.Open(orgId);
        return await db.Turns.Where(t => t.Id == turnId && t.Status == TurnStatuses.Running).Select(t => t.Node).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>True when that node can hear.</summary>
    public ValueTask<bool> ReachesAsync(string node, CancellationToken cancellationToken) => _signals.ReachesAsync(node, cancellationToken);

    /// <summary>Asks the node to stop its turn.</summary>
    public void Stop(string node, Guid turnId) => _signals.Send(node, StopTopic, turnId.ToString());

    /// <summary>Asks the node to raise <see cref="ThreadChanges"/> here when the turn is over: at once when it is.</summary>
    public void Watch(string node, Guid turnId, Guid threadId) => _signals.Send(node, WatchTopic, $"{turnId} {threadId}");

    private void Answer(string asker, Guid turn, string thread)
    {
        if (_host.Find(turn) is not { } run) _signals.Send(asker, ThreadChanges.Topic, thread);
        // Who waits asks again now and then.
        else if (_watchers.TryAdd((turn, asker), 0)) _ = AnswerAtEndAsync(run, asker, thread);
    }

    private async Task AnswerAtEndAsync(TurnRun run, string asker, string thread)
    {
        await run.Live.Ended;
        _watchers.TryRemove((run.Live.TurnId, asker), out _);
        _signals.Send(asker, ThreadChanges.Topic, thread);
    }
}
