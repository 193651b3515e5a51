using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.ScheduledTasks.Times;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.ScheduledTasks;

internal static class TaskStatuses
{
    public const string Active = "active", Paused = "paused", Finished = "finished", Failed = "failed";
}

/// <summary>How the last turn of a task went.</summary>
internal static class TaskOutcomes
{
    public const string Running = "running", Ok = "ok", Error = "error", Stopped = "stopped";
}

/// <summary>A prompt that an agent is given at certain times. What happens at those times is written by <see cref="ScheduledTaskSql"/>, in the same transaction as the turn.</summary>
internal sealed class ScheduledTask : ITenantRow
{
    public const int MaxPrompt = 4_000, MaxTitle = 300, MaxEveryMinutes = 525_600;

    /// <summary>Failures in a row after which nothing more is tried.</summary>
    public const int MaxFailures = 3;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>Where its turns run; null = each in a new thread.</summary>
    public Guid? ThreadId { get; set; }

    public string? Title { get; set; }
    public string Prompt { get; set; } = "";
    public DateTime? RunAt { get; set; }
    public string? CronExpression { get; set; }
    public int? EveryMinutes { get; set; }

    /// <summary>IANA name.</summary>
    public string Timezone { get; set; } = "UTC";

    /// <summary>One of <see cref="TaskStatuses"/>.</summary>
    public string Status { get; set; } = TaskStatuses.Active;

    /// <summary>The next occurrence; null when there is none. Whoever starts its turn moves it on in the same transaction, so no occurrence has two.</summary>
    public DateTime? NextRunAt { get; set; }

    /// <summary>When the server looks at the task next: at the occurrence, or a little later when its thread was busy.</summary>
    public DateTime? DueAt { get; set; }

    /// <summary>The turn that was started last, until its end is noted. A task has one at a time.</summary>
    public Guid? TurnId { get; set; }

    public DateTime? LastRunAt { get; set; }

    /// <summary>One of <see cref="TaskOutcomes"/>; null before the first turn.</summary>
    public string? LastStatus { get; set; }

    public int RunCount { get; set; }

    /// <summary>In a row.</summary>
    public int Failures { get; set; }

    /// <summary><c>agent</c>, <c>user</c> or <c>key</c>.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>For whom its turns run: an account, or whom the application named; null = the thread's user.</summary>
    public string? UserId { get; init; }

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    /// <summary>The stored schedule; null when this machine does not know the zone any more.</summary>
    public TaskSchedule? Schedule => LocalTimes.Zone(Timezone) is not { } zone ? null
        : new(RunAt, CronExpression is null ? null : Times.CronExpression.TryParse(CronExpression, out _), EveryMinutes, zone);

    /// <summary>Waits for its next occurrence from now on.</summary>
    public void Await(DateTime? occurrence) => NextRunAt = DueAt = occurrence;

    public void Pause()
    {
        if (Status is TaskStatuses.Finished or TaskStatuses.Failed) throw ApiException.Conflict($"a task that is {Status} cannot be paused");
        Status = TaskStatuses.Paused;
        Await(null);
    }

    public void Activate()
    {
        Status = TaskStatuses.Active;
        Failures = 0;
    }
}

internal sealed class ScheduledTaskMapping : IEntityTypeConfiguration<ScheduledTask>
{
    public void Configure(EntityTypeBuilder<ScheduledTask> builder)
    {
        builder.ToTable("scheduled_tasks");
        builder.Ignore(t => t.Schedule);
        builder.HasIndex(t => new { t.AgentId, t.CreatedAt });
        builder.HasIndex(t => t.DueAt).HasFilter("due_at IS NOT NULL AND turn_id IS NULL");
        builder.HasIndex(t => t.TurnId).HasFilter("turn_id IS NOT NULL");
    }
}
