using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Platform;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Renews the leases of this node's turns and ends turns whose node is gone, so that no thread stays busy for a dead one.</summary>
internal sealed partial class TurnLeases(TurnHost host, TurnStore store, Databases databases, ServerSettings settings, TimeProvider time, ILogger<TurnLeases> logger) : BackgroundService
{
    private HashSet<Guid> _lost = [];

    /// <summary>Before the first request: on SQLite every running turn is left over from a process that died; on PostgreSQL other nodes may run theirs.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await InterruptAsync(settings.UsesPostgres ? time.Now() : DateTime.MaxValue, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.Turns.LeaseTime / 3, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                host.Trim();
                if (host.Running.Any()) await store.RenewAsync();
                await InterruptAsync(time.Now(), stoppingToken);
                await InterruptLostAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, exception);
            }
        }
    }

    private async Task InterruptAsync(DateTime before, CancellationToken cancellationToken)
    {
        if (!await store.AnyRunningAsync(before, cancellationToken)) return;
        await using var db = databases.OpenForServer();
        // The server's own work: turns of every organisation.
        var dead = await db.Turns.IgnoreQueryFilters().AsNoTracking().Where(t => t.Status == TurnStatuses.Running && t.LeaseUntil < before).ToListAsync(cancellationToken);
        foreach (var turn in dead.Where(turn => !store.IsOurs(turn)))
        {
            await InterruptAsync(turn, cancellationToken);
        }
    }

    // Turns of this node that ended while the database took no writes: their lease is renewed with the others', so nobody else ends them.
    private async Task InterruptLostAsync(CancellationToken cancellationToken)
    {
        if (!await store.AnyRunningAsync(time.Now().AddYears(1), cancellationToken))
        {
            _lost = [];
            return;
        }
        await using var db = databases.OpenForServer();
        // The server's own work: turns of every organisation.
        var running = await db.Turns.IgnoreQueryFilters().AsNoTracking().Where(t => t.Status == TurnStatuses.Running).ToListAsync(cancellationToken);
        var lost = running.FindAll(turn => store.IsOurs(turn) && host.Find(turn.Id) is null);
        // Only what was lost a round ago as well: a turn stands in the database a moment before it runs and a moment after.
        foreach (var turn in lost.Where(turn => _lost.Contains(turn.Id)))
        {
            await InterruptAsync(turn, cancellationToken);
        }
        _lost = [.. lost.Select(turn => turn.Id)];
    }

    // Each for itself: one turn that cannot be ended must not keep the others, or the start, waiting.
    private async Task InterruptAsync(Turn turn, CancellationToken cancellationToken)
    {
        try
        {
            await using var db = databases.Open(turn.OrgId);
            await store.InterruptAsync(turn, await db.Threads.Where(t => t.Id == turn.ThreadId).Select(t => t.LastSeq).FirstOrDefaultAsync(cancellationToken));
            LogInterrupted(logger, turn.Id, turn.Node);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotInterrupted(logger, exception, turn.Id);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Turn {Turn} was interrupted: its node {Node} is gone")]
    private static partial void LogInterrupted(ILogger logger, Guid turn, string node);

    [LoggerMessage(3, LogLevel.Error, "Turn {Turn} of a node that is gone could not be ended")]
    private static partial void LogNotInterrupted(ILogger logger, Exception exception, Guid turn);

    [LoggerMessage(2, LogLevel.Error, "Leases could not be renewed")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
