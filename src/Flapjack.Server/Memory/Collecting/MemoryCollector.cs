using System.Threading.Channels;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Memory.Collecting;

/// <summary>Remembers what turns have taught, for agents that are set to: behind the turn, in a queue of limited length.</summary>
/// <remarks>Not a <see cref="BackgroundService"/>: that one never runs when the host stops before the thread pool came to start it. What waits when the server stops gets a few seconds; what is left then is counted in the log.</remarks>
internal sealed partial class MemoryCollector(AgentConfigs configs, MemoryExtraction extraction, MemoryStore store, ILogger<MemoryCollector> logger) : ITurnFollowUp, IHostedService, IDisposable
{
    private const int MostWaiting = 1_000, Workers = 2;
    private static readonly TimeSpan LastWork = TimeSpan.FromSeconds(5);

    private readonly Channel<EndedTurn> _queue = Channel.CreateBounded<EndedTurn>(MostWaiting);
    private readonly CancellationTokenSource _stop = new();
    private Task _working = Task.CompletedTask;
    private Task? _stopped;
    private int _left;

    public void TurnEnded(EndedTurn turn)
    {
        if (turn.For is not { AgentId: not null } || turn.For is { Version: 0, Overrides.Count: 0 } || string.IsNullOrWhiteSpace(turn.Input)) return;
        if (!_queue.Writer.TryWrite(turn)) LogDropped(logger, turn.TurnId);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _working = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync, CancellationToken.None)));
        return Task.CompletedTask;
    }

    /// <remarks>A host may be stopped twice at once, and is disposed of when either has ended, so both wait for the same.</remarks>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_queue) return _stopped ??= EndAsync(cancellationToken);
    }

    public void Dispose() => _stop.Dispose();

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        // The clock is the real one, as it is for all that happens at the end.
        await Task.WhenAny(_working, Task.Delay(LastWork, cancellationToken));
        await _stop.CancelAsync();
        await _working;
        if (_left > 0) LogLeft(logger, _left);
    }

    private async Task WorkAsync()
    {
        await foreach (var turn in _queue.Reader.ReadAllAsync(CancellationToken.None))
        {
            try
            {
                _stop.Token.ThrowIfCancellationRequested();
                await CollectAsync(turn, _stop.Token);
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref _left);
            }
            catch (Exception fault)
            {
                LogFailed(logger, fault, turn.TurnId);
            }
        }
    }

    private async Task CollectAsync(EndedTurn turn, CancellationToken cancellationToken)
    {
        var agent = turn.For.AgentId!.Value;
        var config = await MemoryConfig.ForTurnAsync(configs, turn.For, cancellationToken);
        if (!config.Enabled || !config.AutoCollect) return;
        var open = MemoryScope.OpenTo(config, agent, turn.For.ThreadId, turn.For.Bindings);
        // Nobody is there to ask which of several resources a fact is about.
        if (open.Count(s => s.Kind == MemoryScope.Resource) > 1) open.RemoveAll(s => s.Kind == MemoryScope.Resource);
        if (open.Count == 0) return;
        var facts = await extraction.FromAsync(turn, cancellationToken);
        foreach (var fact in facts) await store.StoreAsync(new(turn.For.OrgId, agent, open[0], fact, MemorySources.AutoCollect, config.MaxMemories) { ReplacesLookalike = true }, cancellationToken);
        if (facts.Count > 0) LogCollected(logger, facts.Count, turn.TurnId);
    }

    [LoggerMessage(1, LogLevel.Warning, "What turn {Turn} has taught was not remembered: too many turns wait")]
    private static partial void LogDropped(ILogger logger, Guid turn);

    [LoggerMessage(2, LogLevel.Warning, "What turn {Turn} has taught could not be remembered")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid turn);

    [LoggerMessage(3, LogLevel.Debug, "Remembered {Count} facts of turn {Turn}")]
    private static partial void LogCollected(ILogger logger, int count, Guid turn);

    [LoggerMessage(4, LogLevel.Warning, "The server stopped before it had looked through {Count} turns for what to remember")]
    private static partial void LogLeft(ILogger logger, int count);
}
