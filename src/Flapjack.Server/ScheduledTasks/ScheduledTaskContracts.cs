using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>A task to make, or what changes in one. Exactly one of <c>runAt</c>, <c>cronExpression</c> and <c>everyMinutes</c> says when; a change may leave all three out.</summary>
public sealed record ScheduledTaskRequest
{
    /// <summary>What the agent is told, 1 to 4,000 characters. Required for a new task.</summary>
    public Optional<string> Prompt { get; init; }
    /// <summary>At most 300 characters; also the title of threads that the task opens. <c>null</c> clears.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>The only time, ISO 8601. Without an offset it is a local time of <c>timezone</c>. A time that has passed is 422.</summary>
    public Optional<string> RunAt { get; init; }
    /// <summary>Five fields: minute, hour, day of the month, month, day of the week, such as <c>0 9 * * MON</c>; local times of <c>timezone</c>. At most 200 characters.</summary>
    public Optional<string> CronExpression { get; init; }
    /// <summary>Minutes from one occurrence to the next, from the config's minimum to 525,600.</summary>
    public Optional<int?> EveryMinutes { get; init; }
    /// <summary>IANA name, such as <c>Europe/Oslo</c>; by default, and with <c>null</c>, the config's.</summary>
    public Optional<string> Timezone { get; init; }
    /// <summary>UUID of a thread of the agent in which its turns run; <c>null</c> (default) = a new thread each time. 404 when the caller sees no such thread.</summary>
    public Optional<string> ThreadId { get; init; }
    /// <summary><c>active</c> or <c>paused</c>; changes only. A task that ended becomes active again, when it has a time to come.</summary>
    public Optional<string> Status { get; init; }
}

/// <summary>A prompt that the agent is given at certain times.</summary>
public sealed record ScheduledTaskResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Whose task it is.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>Where its turns run; null = each in a new thread. A thread that is gone by then is replaced by a new one.</summary>
    public required Guid? ThreadId { get; init; }
    /// <summary>For people.</summary>
    public required string? Title { get; init; }
    /// <summary>What the agent is told.</summary>
    public required string Prompt { get; init; }
    /// <summary>The only time, UTC; null for tasks that come again.</summary>
    public required DateTime? RunAt { get; init; }
    /// <summary>Five fields of cron, in local times of <c>timezone</c>.</summary>
    public required string? CronExpression { get; init; }
    /// <summary>Minutes from one occurrence to the next.</summary>
    public required int? EveryMinutes { get; init; }
    /// <summary>IANA name.</summary>
    public required string Timezone { get; init; }
    /// <summary><c>active</c>, <c>paused</c>, <c>finished</c> (its only time has come) or <c>failed</c> (three turns in a row failed).</summary>
    public required string Status { get; init; }
    /// <summary>The next occurrence, UTC; null unless the task is active.</summary>
    public required DateTime? NextRunAt { get; init; }
    /// <summary>When its last turn began, UTC.</summary>
    public required DateTime? LastRunAt { get; init; }
    /// <summary><c>running</c>, <c>ok</c>, <c>error</c> or <c>stopped</c>; null before the first turn.</summary>
    public required string? LastStatus { get; init; }
    /// <summary>Occurrences that were carried out or failed to begin.</summary>
    public required int RunCount { get; init; }
    /// <summary><c>agent</c>, <c>user</c> or <c>key</c>.</summary>
    public required string CreatedBy { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static ScheduledTaskResponse From(ScheduledTask task) => new()
    {
        Id = task.Id,
        AgentId = task.AgentId,
        ThreadId = task.ThreadId,
        Title = task.Title,
        Prompt = task.Prompt,
        RunAt = task.RunAt,
        CronExpression = task.CronExpression,
        EveryMinutes = task.EveryMinutes,
        Timezone = task.Timezone,
        Status = task.Status,
        NextRunAt = task.NextRunAt,
        LastRunAt = task.LastRunAt,
        LastStatus = task.LastStatus,
        RunCount = task.RunCount,
        CreatedBy = task.CreatedBy,
        CreatedAt = task.CreatedAt,
    };
}
