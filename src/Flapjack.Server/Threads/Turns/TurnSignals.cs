using System.Collections.Concurrent;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>What nodes tell each other about running turns: stop this one, and tell me when it is over.</summary>
internal sealed class TurnSignals(TurnHost host, ISignals signals, NodeName self, Databases databases) : IHostedService
{
    /// <summary>How often a node is asked about one turn without a pause: it answers at once for one it has not begun yet, and for one whose end it could not store.</summary>
    public const int MaxAsked = 5;
    private const string StopTopic = "turn.stop", WatchTopic = "turn.watch";
    private readonly ConcurrentDictionary<(Guid Turn, string Node), byte> _watchers = new();

    /// <summary>Begins to hear, also on a node that serves no request yet but has taken up turns of another.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        signals.On(StopTopic, signal => host.Find(Guid.Parse(signal.Body))?.Stop());
        signals.On(WatchTopic, signal => Answer(signal.Sender, Guid.Parse(signal.Body.AsSpan(0, 36)), signal.Body[37..]));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>True for this node's name.</summary>
    public bool IsHere(string node) => node == self.Value;

    /// <summary>The node that has a running turn of the organisation; null when the turn does not run any more.</summary>
    public async ValueTask<string?> OwnerAsync(Guid orgId, Guid turnId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        return await db.Turns.Where(t => t.Id == turnId && t.Status == TurnStatuses.Running).Select(t => t.Node).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>True when that node can hear.</summary>
    public ValueTask<bool> ReachesAsync(string node, CancellationToken cancellationToken) => signals.ReachesAsync(node, cancellationToken);

    /// <summary>Asks the node to stop its turn.</summary>
    public void Stop(string node, Guid turnId) => signals.Send(node, StopTopic, turnId.ToString());

    /// <summary>Asks the node to raise <see cref="ThreadChanges"/> here when the turn is over: at once when it is.</summary>
    public void Watch(string node, Guid turnId, Guid threadId) => signals.Send(node, WatchTopic, $"{turnId} {threadId}");

    private void Answer(string asker, Guid turn, string thread)
    {
        if (host.Find(turn) is not { } run) signals.Send(asker, ThreadChanges.Topic, thread);
        // Who waits asks again now and then.
        else if (_watchers.TryAdd((turn, asker), 0)) _ = AnswerAtEndAsync(run, asker, thread);
    }

    private async Task AnswerAtEndAsync(TurnRun run, string asker, string thread)
    {
        await run.Live.Ended;
        _watchers.TryRemove((run.Live.TurnId, asker), out _);
        signals.Send(asker, ThreadChanges.Topic, thread);
    }
}
