using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record ScheduledTasksConfigRequest
{
    private static readonly ScheduledTasksConfig Default = new();

    /// <summary>Lets the agent have tasks, and offers it the tools; default false. The same as <c>scheduledTasksEnabled</c> of the agent. Switching off pauses its tasks; switching on resumes none.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>Active tasks at a time, 1 to 200, default 20. Tasks that are active already stay so.</summary>
    public Optional<int?> MaxActive { get; init; }
    /// <summary>Shortest time from one occurrence of a task to the next, 1 to 1,440 minutes, default 5. Holds for tasks that are made or changed from now on.</summary>
    public Optional<int?> MinIntervalMinutes { get; init; }
    /// <summary>IANA name of the time zone of tasks that give none; default <c>UTC</c>.</summary>
    public Optional<string> Timezone { get; init; }

    internal ScheduledTasksConfig ApplyTo(ScheduledTasksConfig saved)
    {
        var changed = saved with
        {
            MaxActive = MaxActive.Over(saved.MaxActive, Default.MaxActive),
            MinIntervalMinutes = MinIntervalMinutes.Over(saved.MinIntervalMinutes, Default.MinIntervalMinutes),
            Timezone = Timezone.Over(saved.Timezone, Default.Timezone),
        };
        var errors = new FieldErrors();
        changed.Check(errors);
        errors.ThrowIfAny();
        return changed;
    }
}

/// <summary>Whether an agent may have scheduled tasks, their limits, and those it has.</summary>
public sealed record ScheduledTasksConfigResponse
{
    /// <summary>Lets the agent have tasks, and offers it the tools.</summary>
    public required bool Enabled { get; init; }
    /// <summary>Active tasks at a time.</summary>
    public required int MaxActive { get; init; }
    /// <summary>Shortest time from one occurrence of a task to the next, in minutes.</summary>
    public required int MinIntervalMinutes { get; init; }
    /// <summary>IANA name of the time zone of tasks that give none.</summary>
    public required string Timezone { get; init; }
    /// <summary>Active and paused tasks, newest first. Who does not see the whole organisation sees their own and those of nobody.</summary>
    public required IReadOnlyList<ScheduledTaskResponse> Tasks { get; init; }
    /// <summary>Time of the last change of the limits, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    internal static ScheduledTasksConfigResponse From(bool enabled, SavedConfig<ScheduledTasksConfig> saved, IEnumerable<ScheduledTask> tasks) => new()
    {
        Enabled = enabled,
        MaxActive = saved.Value.MaxActive,
        MinIntervalMinutes = saved.Value.MinIntervalMinutes,
        Timezone = saved.Value.Timezone,
        Tasks = [.. tasks.Select(ScheduledTaskResponse.From)],
        UpdatedAt = saved.UpdatedAt,
    };
}
