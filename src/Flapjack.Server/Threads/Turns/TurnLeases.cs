using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Renews the leases of this node's turns and ends turns whose node is gone, so that no thread stays busy for a dead one.</summary>
internal sealed partial class TurnLeases(TurnHost host, LiveTurns live, NodeName node, IWriter writer, Databases databases, ServerSettings settings, TimeProvider time, ILogger<TurnLeases> logger) : BackgroundService
{
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
                live.Trim();
                if (host.Running.Any()) await writer.WriteAsync([TurnSql.Renew(node.Value, time.Now() + settings.Turns.LeaseTime)], stoppingToken);
                await InterruptAsync(time.Now(), stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(logger, exception);
            }
        }
    }

    private async Task InterruptAsync(DateTime before, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        // The server's own work: turns of every organisation.
        var dead = await db.Turns.IgnoreQueryFilters().AsNoTracking().Where(t => t.Status == TurnStatuses.Running && t.LeaseUntil < before && t.Node != node.Value).ToListAsync(cancellationToken);
        foreach (var turn in dead)
        {
            await InterruptAsync(turn, cancellationToken);
            LogInterrupted(logger, turn.Id, turn.Node);
        }
    }

    private async Task InterruptAsync(Turn turn, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = databases.Open(turn.OrgId);
        var lastSeq = await db.Threads.Where(t => t.Id == turn.ThreadId).Select(t => t.LastSeq).FirstOrDefaultAsync(cancellationToken);
        await writer.WriteAsync([
            TurnSql.CloseCalls(turn.ThreadId, turn.Id, """{"error":"OUTCOME_UNKNOWN"}"""),
            TurnSql.InsertMessage(new()
            {
                Id = Ids.New(),
                OrgId = turn.OrgId,
                ThreadId = turn.ThreadId,
                TurnId = turn.Id,
                Seq = lastSeq + 1,
                Role = MessageRoles.Assistant,
                Content = "",
                Error = "INTERNAL_ERROR",
                CreatedAt = now,
            }),
            TurnSql.EndTurn(turn.ThreadId, turn.Id, TurnStatuses.Interrupted, null, "INTERNAL_ERROR", now, null),
            TurnSql.CloseTrace(turn.ThreadId, turn.Id, "error", now),
            TurnSql.Release(turn.ThreadId, turn.Id, lastSeq + 1, now)], cancellationToken);
    }

    [LoggerMessage(1, LogLevel.Warning, "Turn {Turn} was interrupted: its node {Node} is gone")]
    private static partial void LogInterrupted(ILogger logger, Guid turn, string node);

    [LoggerMessage(2, LogLevel.Error, "Leases could not be renewed")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
