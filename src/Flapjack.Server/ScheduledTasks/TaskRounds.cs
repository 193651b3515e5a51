using System.Collections.Concurrent;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Scheduling;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>Every two seconds each node looks for tasks whose time has come, and for turns of tasks that have ended. It never has more than so many turns of tasks at a time; what comes beyond that waits, here or on another node.</summary>
internal sealed partial class TaskRounds(IReader reader, IWriter writer, TaskFiring firing, ServerLife life, TaskRoundsContext context, ILogger<TaskRounds> logger) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<Guid, Task> _work = new();

    /// <summary>One round: notes what ended, begins what is due. Gives what completes when the turns have begun, or were refused.</summary>
    public async Task<Task> RunAsync(CancellationToken cancellationToken)
    {
        await NoteEndsAsync(cancellationToken);
        var begun = new List<Task>();
        if (life.Draining.IsCancellationRequested) return Task.CompletedTask;
        foreach (var key in await reader.ReadAllAsync(ScheduledTaskSql.Due(context.Time.Now(), 2 * context.Settings.MaxRunningTasks), static row => new TaskKey(row.Id(), row.Id()), cancellationToken))
        {
            if (_work.Count >= context.Settings.MaxRunningTasks) break;
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_work.TryAdd(key.Id, start.Task)) continue;
            begun.Add(start.Task);
            // Not awaited: a tool server that is slow to say what it has must not keep the other tasks waiting.
            _ = WorkAsync(key, start, cancellationToken);
        }
        return Task.WhenAll(begun);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await life.StartedAsync(stoppingToken);
            using var timer = new PeriodicTimer(Interval, context.Time);
            do await TryRunAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The next start looks again.
        }
        // What was about to begin hears of the end; turns that run have had the grace period.
        await Task.WhenAll(_work.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TryRunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(cancellationToken);
        }
        catch (Exception exception) when (DatabaseFaults.IsOutage(exception))
        {
            context.Waiting.Report(exception);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, exception);
        }
    }

    private async Task WorkAsync(TaskKey key, TaskCompletionSource start, CancellationToken cancellationToken)
    {
        try
        {
            var run = await firing.FireAsync(key, cancellationToken);
            start.SetResult();
            if (run is not null) await run.Live.Ended;
        }
        catch (Exception exception)
        {
            if (!cancellationToken.IsCancellationRequested) LogLost(logger, exception, key.Id);
        }
        finally
        {
            _work.TryRemove(key.Id, out _);
            start.TrySetResult();
        }
    }

    private async Task NoteEndsAsync(CancellationToken cancellationToken)
    {
        foreach (var (task, turn, outcome) in await reader.ReadAllAsync(ScheduledTaskSql.Ended(), static row => (row.Id(), row.Id(), Outcome(row.TextOrNull(), row.TextOrNull())), cancellationToken))
        {
            await writer.WriteAsync([ScheduledTaskSql.End(task, turn, outcome), ScheduledTaskSql.GiveUp(task)], CancellationToken.None);
        }
    }

    private static string Outcome(string? status, string? finishReason) => status switch
    {
        // Nobody is there who could authorise anything.
        TurnStatuses.Done => finishReason == "auth_challenge" ? TaskOutcomes.Error : TaskOutcomes.Ok,
        TurnStatuses.Stopped or null => TaskOutcomes.Stopped,
        _ => TaskOutcomes.Error,
    };

    [LoggerMessage(1, LogLevel.Error, "Scheduled tasks could not be looked after; they are looked after again in seconds")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "Scheduled task {Task} could not be carried out")]
    private static partial void LogLost(ILogger logger, Exception exception, Guid task);
}

/// <summary>What the rounds go by.</summary>
internal sealed record TaskRoundsContext(ServerSettings Settings, WaitingWork Waiting, TimeProvider Time);
