using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.ScheduledTasks.Times;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>The limits of an agent's scheduled tasks. Whether it may have any stands in the agent's own row, which has a field of that name.</summary>
internal sealed record ScheduledTasksConfig : IAgentConfig
{
    public static string Name => "scheduled-tasks";

    /// <summary>Active tasks at a time.</summary>
    public int MaxActive { get; init; } = 20;

    /// <summary>From one occurrence of a task to the next.</summary>
    public int MinIntervalMinutes { get; init; } = 5;

    /// <summary>IANA name for tasks that give none.</summary>
    public string Timezone { get; init; } = "UTC";

    public void Check(FieldErrors errors)
    {
        errors.Range("maxActive", MaxActive, 1, 200);
        errors.Range("minIntervalMinutes", MinIntervalMinutes, 1, 1_440);
        if (LocalTimes.Zone(Timezone) is null) errors.Add("timezone", TaskFields.NoZone);
    }
}
