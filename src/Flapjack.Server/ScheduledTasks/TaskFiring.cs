using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>A task and its organisation.</summary>
internal readonly record struct TaskKey(Guid Id, Guid OrgId);

/// <summary>Carries out an occurrence. The turn is stored and the task moved on in one transaction that begins by looking whether the occurrence is still to come: so no occurrence has two turns, and none is lost between the two.</summary>
internal sealed partial class TaskFiring(Databases databases, UnattendedTurns turns, IWriter writer, WaitingWork waiting, TimeProvider time, ILogger<TaskFiring> logger)
{
    private const string Sender = "Scheduled task";

    /// <summary>How soon an occurrence is tried again whose thread is busy, and one that failed for a reason of the server's own.</summary>
    public static readonly TimeSpan WhenBusy = TimeSpan.FromSeconds(5), WhenBroken = TimeSpan.FromMinutes(1);

    /// <summary>The turn of the task's next occurrence; null when there is none now.</summary>
    public async Task<TurnRun?> FireAsync(TaskKey key, CancellationToken cancellationToken)
    {
        try
        {
            await using var db = databases.Open(key.OrgId);
            var task = await db.ScheduledTasks.AsNoTracking().FirstOrDefaultAsync(t => t.Id == key.Id, cancellationToken);
            // Asked again: since the round that saw it due another node may have carried it out, to the turn's end, and the next occurrence is still to come.
            return task is { Status: TaskStatuses.Active, TurnId: null, NextRunAt: { } occurrence } && task.DueAt <= time.Now() ? await FireAsync(task, occurrence, cancellationToken) : null;
        }
        catch (Exception exception) when (DatabaseFaults.IsOutage(exception))
        {
            // The occurrence stays due.
            waiting.Report(exception);
            return null;
        }
    }

    private async Task<TurnRun?> FireAsync(ScheduledTask task, DateTime occurrence, CancellationToken cancellationToken)
    {
        try
        {
            var schedule = task.Schedule ?? throw ApiException.Invalid("timezone", TaskFields.NoZone);
            var message = new UnattendedMessage(task.OrgId, task.AgentId, task.Prompt) { ThreadId = task.ThreadId, Title = task.Title, SenderName = Sender, UserId = task.UserId, Source = TurnDoors.Schedule };
            var started = await turns.StartAsync(message, (live, at) => new(
                ScheduledTaskSql.IsDue(task),
                // A task that had a thread goes on in the one that replaces it.
                ScheduledTaskSql.Started(task, new(live.TurnId, live.ThreadId, task.ThreadId is null ? null : live.ThreadId, schedule.Next(occurrence, at), at))), cancellationToken);
            if (started.IsBusy) await PostponeAsync(task, WhenBusy);
            return started.Run;
        }
        catch (ApiException refusal) when (refusal.Status < 500)
        {
            LogRefused(logger, task.Id, refusal.Message);
            await RefuseAsync(task, occurrence);
            return null;
        }
        catch (Exception exception) when (!DatabaseFaults.IsOutage(exception) && !cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, exception, task.Id, WhenBroken);
            await PostponeAsync(task, WhenBroken);
            return null;
        }
    }

    private Task<WriteResult> PostponeAsync(ScheduledTask task, TimeSpan by) => writer.WriteAsync([ScheduledTaskSql.Postpone(task, time.Now() + by)]);

    private Task<WriteResult> RefuseAsync(ScheduledTask task, DateTime occurrence)
    {
        var now = time.Now();
        var next = task.Failures + 1 >= ScheduledTask.MaxFailures ? null : task.Schedule?.Next(occurrence, now);
        var status = next is not null ? TaskStatuses.Active : task is { RunAt: not null, Schedule: not null } ? TaskStatuses.Finished : TaskStatuses.Failed;
        return writer.WriteAsync([ScheduledTaskSql.Refused(task, next, status, now)]);
    }

    [LoggerMessage(1, LogLevel.Warning, "The turn of scheduled task {Task} cannot begin: {Reason}")]
    private static partial void LogRefused(ILogger logger, Guid task, string reason);

    [LoggerMessage(2, LogLevel.Error, "Scheduled task {Task} could not be carried out; it is tried again in {Pause}")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid task, TimeSpan pause);
}
