using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Renews the leases of this node's turns and looks for turns whose node is gone, so that no thread stays busy for a dead one.</summary>
internal sealed partial class TurnLeases(TurnHost host, TurnRecovery recovery, LeaseBook book, ServerSettings settings, TimeProvider time, ILogger<TurnLeases> logger) : BackgroundService
{
    private readonly TaskCompletionSource _recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HashSet<Guid> _lost = [];

    /// <summary>Before the first request: what a node that is surely dead has left. On SQLite that is everything; on PostgreSQL what the last process of this data directory ran, and what has no lease.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Renewals come first: what is taken over in a long recovery must not lapse meanwhile.
        await base.StartAsync(cancellationToken);
        await RecoverAsync(await book.LeftBeforeStartAsync(cancellationToken), cancellationToken);
        _recovered.TrySetResult();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        EachRoundAsync(RenewAsync, Task.CompletedTask, stoppingToken),
        // A recovery may wait for the database; the leases of healthy turns do not wait with it.
        // Its rounds begin after the recovery at the start: what both took over would count as two of the few times a turn may be.
        EachRoundAsync(() => RecoverAllAsync(stoppingToken), _recovered.Task, stoppingToken));

    private async Task EachRoundAsync(Func<Task> round, Task begin, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.Turns.LeaseTime / 6, time);
        await begin.WaitAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await round();
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, exception);
            }
        }
    }

    private async Task RenewAsync()
    {
        host.Trim();
        if (host.Running.Any()) await book.RenewAsync();
    }

    private async Task RecoverAllAsync(CancellationToken cancellationToken)
    {
        await RecoverAsync(await book.ExpiredAsync(cancellationToken), cancellationToken);
        await CompareAsync(cancellationToken);
    }

    // Asked before the database is: a turn stands there a moment before it runs and a moment after.
    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        var running = host.Running.ToList();
        var ours = await book.OursAsync(cancellationToken);
        LetGo(running, ours);
        await RecoverLostAsync(ours.FindAll(turn => host.Find(turn.Id) is null), cancellationToken);
    }

    // This node stood still, and another one took them over: their models need not go on. Their end will be refused, so whoever listens is cut off without one. For a turn that has just ended it is too late to stop.
    private static void LetGo(List<TurnRun> running, List<TurnKey> ours)
    {
        if (ours.Count == TurnSql.MostListed) return;
        var kept = ours.Select(turn => turn.Id).ToHashSet();
        foreach (var run in running.Where(run => !kept.Contains(run.Live.TurnId))) run.Stop();
    }

    // Turns of this node that ended while the database took no writes: their lease is renewed with the others', so nobody else looks after them.
    private async Task RecoverLostAsync(List<TurnKey> lost, CancellationToken cancellationToken)
    {
        // Only what was lost a round ago as well.
        await RecoverAsync(lost.FindAll(turn => _lost.Contains(turn.Id)), cancellationToken);
        _lost = [.. lost.Select(turn => turn.Id)];
    }

    // Each for itself: one turn that cannot be recovered must not keep the others, or the start, waiting.
    private async Task RecoverAsync(List<TurnKey> turns, CancellationToken cancellationToken)
    {
        foreach (var turn in turns)
        {
            try
            {
                await recovery.RecoverAsync(turn, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                LogNotRecovered(logger, exception, turn.Id);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Turn {Turn} of a node that is gone could not be recovered")]
    private static partial void LogNotRecovered(ILogger logger, Exception exception, Guid turn);

    [LoggerMessage(2, LogLevel.Error, "Leases could not be looked after")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

/// <summary>Who runs what, and until when. All times are the database's.</summary>
internal sealed class LeaseBook(IWriter writer, IReader reader, NodeName node, ServerSettings settings)
{
    /// <summary>Says that this node's turns still run.</summary>
    public Task RenewAsync() => writer.WriteAsync([TurnSql.Renew(node.Value, settings.Turns.LeaseTime)]);

    /// <summary>Makes a turn this node's. False when another node was faster.</summary>
    public async Task<bool> TakeOverAsync(Turn turn) => (await writer.WriteAsync([TurnSql.TakeOver(turn, node.Value, settings.Turns.LeaseTime)])).Affected[0] == 1;

    /// <summary>Turns that nobody says are running any more.</summary>
    public ValueTask<List<TurnKey>> ExpiredAsync(CancellationToken cancellationToken) => ListAsync(TurnSql.Expired(node.Value), cancellationToken);

    /// <summary>Turns that stand in the database as running here.</summary>
    public ValueTask<List<TurnKey>> OursAsync(CancellationToken cancellationToken) => ListAsync(TurnSql.OfNode(node.Value), cancellationToken);

    public async ValueTask<List<TurnKey>> LeftBeforeStartAsync(CancellationToken cancellationToken)
    {
        if (!settings.UsesPostgres) return await ListAsync(TurnSql.AllRunning(), cancellationToken);
        var left = await ExpiredAsync(cancellationToken);
        if (node.Predecessor is { } dead) left.AddRange(await ListAsync(TurnSql.OfNode(dead), cancellationToken));
        return left;
    }

    private ValueTask<List<TurnKey>> ListAsync(SqlStatement statement, CancellationToken cancellationToken) =>
        reader.ReadAllAsync(statement, static row => new TurnKey(row.Id(), row.Id()), cancellationToken);
}

/// <summary>A turn and its organisation.</summary>
internal readonly record struct TurnKey(Guid Id, Guid OrgId);
