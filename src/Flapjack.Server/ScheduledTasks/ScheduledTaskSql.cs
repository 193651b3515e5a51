using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>What happens to tasks as time passes. Each statement names the occurrence, or the turn, it is about: of several nodes that write the same, one does.</summary>
internal static class ScheduledTaskSql
{
    private const string DueText = "SELECT id, org_id FROM scheduled_tasks WHERE due_at <= $1 AND due_at IS NOT NULL AND turn_id IS NULL ORDER BY due_at LIMIT $2";

    private const string IsDueText = "SELECT 1 FROM scheduled_tasks WHERE id = $1 AND next_run_at = $2 AND turn_id IS NULL AND status = 'active'";

    private const string StartedText = """
        UPDATE scheduled_tasks SET turn_id = $3, thread_id = $4, next_run_at = $5, due_at = $5, status = $6, last_run_at = $7, last_status = 'running', run_count = run_count + 1
        WHERE id = $1 AND next_run_at = $2 AND EXISTS (SELECT 1 FROM threads WHERE id = $8 AND active_turn_id = $3)
        """;

    private const string PostponeText = "UPDATE scheduled_tasks SET due_at = $3 WHERE id = $1 AND next_run_at = $2 AND turn_id IS NULL AND status = 'active'";

    private const string RefusedText = """
        UPDATE scheduled_tasks SET next_run_at = $3, due_at = $3, status = $4, failures = failures + 1, last_run_at = $5, last_status = 'error', run_count = run_count + 1
        WHERE id = $1 AND next_run_at = $2 AND turn_id IS NULL AND status = 'active'
        """;

    private const string EndedText = """
        SELECT t.id, t.turn_id, u.status, u.finish_reason FROM scheduled_tasks t LEFT JOIN turns u ON u.id = t.turn_id
        WHERE t.turn_id IS NOT NULL AND (u.id IS NULL OR u.status NOT IN ('running', 'awaiting_action')) LIMIT 100
        """;

    private const string EndText = """
        UPDATE scheduled_tasks SET turn_id = NULL, last_status = $3, failures = CASE WHEN $3 = 'ok' THEN 0 WHEN $3 = 'error' THEN failures + 1 ELSE failures END
        WHERE id = $1 AND turn_id = $2
        """;

    private const string GiveUpText = "UPDATE scheduled_tasks SET status = 'failed', next_run_at = NULL, due_at = NULL WHERE id = $1 AND turn_id IS NULL AND status = 'active' AND failures >= $2";

    private const string SweepText = "DELETE FROM scheduled_tasks WHERE id IN (SELECT id FROM scheduled_tasks WHERE status IN ('finished', 'failed') AND turn_id IS NULL AND last_run_at < $1 LIMIT 500)";

    /// <summary>Tasks of every organisation whose time has come and whose last turn is over.</summary>
    public static SqlStatement Due(DateTime now, int most) => new(DueText, [now, most]);

    /// <summary>Begins the unit of an occurrence: the row stays as it is until the turn is stored.</summary>
    public static SqlStatement IsDue(ScheduledTask task) => new(IsDueText, [task.Id, task.NextRunAt]) { Guards = true };

    /// <summary>Ends that unit: moves the task on when the turn got its thread.</summary>
    public static SqlStatement Started(ScheduledTask task, TaskStart start) =>
        new(StartedText, [task.Id, task.NextRunAt, start.Turn, start.Stays, start.Next, start.Next is null ? TaskStatuses.Finished : TaskStatuses.Active, start.At, start.Thread]);

    /// <summary>Lets an occurrence wait.</summary>
    public static SqlStatement Postpone(ScheduledTask task, DateTime until) => new(PostponeText, [task.Id, task.NextRunAt, until]);

    /// <summary>An occurrence whose turn could not begin.</summary>
    public static SqlStatement Refused(ScheduledTask task, DateTime? next, string status, DateTime now) => new(RefusedText, [task.Id, task.NextRunAt, next, status, now]);

    /// <summary>Tasks whose turn is over, with how it ended; a turn without a row went with its thread.</summary>
    public static SqlStatement Ended() => new(EndedText, []);

    public static SqlStatement End(Guid task, Guid turn, string outcome) => new(EndText, [task, turn, outcome]);

    public static SqlStatement GiveUp(Guid task) => new(GiveUpText, [task, ScheduledTask.MaxFailures]);

    /// <summary>Removes some tasks that ended before a time.</summary>
    public static SqlStatement Sweep(DateTime before) => new(SweepText, [before]);
}

/// <summary>The turn of an occurrence.</summary>
/// <param name="Turn">Its id.</param>
/// <param name="Thread">Where it runs.</param>
/// <param name="Stays">Where the task's next turns run; null = each in a new thread.</param>
/// <param name="Next">The next occurrence; null = there is none.</param>
/// <param name="At">When it begins.</param>
internal sealed record TaskStart(Guid Turn, Guid Thread, Guid? Stays, DateTime? Next, DateTime At);
