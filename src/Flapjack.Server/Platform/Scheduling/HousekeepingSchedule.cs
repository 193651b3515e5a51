using Flapjack.Server.Platform.Housekeeping;
using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>Keeps one durable job for each task of the cluster, in the task's period.</summary>
internal sealed class HousekeepingSchedule(HousekeepingRounds rounds)
{
    /// <summary>Stores what is missing or has another period now, all together. What is stored keeps its rhythm, so a server that is restarted again and again still gets to its rounds.</summary>
    public async Task StoreAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        var missing = new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>>();
        foreach (var task in rounds.Tasks.Where(task => task.Scope == HousekeepingScope.Cluster))
        {
            var key = new TriggerKey(task.Name, HousekeepingJob.Group);
            if (await scheduler.GetTrigger(key, cancellationToken) is ISimpleTrigger stored && stored.RepeatInterval == task.Period) continue;
            missing.Add(JobOf(task), [TriggerOf(task, key)]);
        }
        // Nodes that start together store the same, so it does not matter whose is kept.
        if (missing.Count > 0) await scheduler.ScheduleJobs(missing, ScheduleJobOptions.Replacing, cancellationToken);
    }

    private static IJobDetail JobOf(IHousekeepingTask task) => JobBuilder.Create<HousekeepingJob>().WithIdentity(task.Name, HousekeepingJob.Group).StoreDurably().Build();

    // A round that was missed is made up for at once, and once only.
    private static ITrigger TriggerOf(IHousekeepingTask task, TriggerKey key) => TriggerBuilder.Create(TimeProvider.System)
        .WithIdentity(key)
        .StartAt(TimeProvider.System.GetUtcNow() + task.Period)
        .WithSchedule(SimpleScheduleBuilder.Create().WithInterval(task.Period).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NowWithExistingCount))
        .Build();
}
