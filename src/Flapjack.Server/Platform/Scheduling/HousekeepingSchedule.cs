using Flapjack.Server.Platform.Housekeeping;
using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>Keeps one durable job for each task of the cluster, in the task's period.</summary>
internal sealed class HousekeepingSchedule(HousekeepingRounds rounds)
{
    /// <summary>Stores what is missing or has another period now, all together. What is stored keeps its rhythm, so a server that is restarted again and again still gets to its rounds.</summary>
    public async Task StoreAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        var (missing, changed) = await LookAsync(scheduler, cancellationToken);
        if (changed.Count > 0) await scheduler.ScheduleJobs(changed, ScheduleJobOptions.Replacing, cancellationToken);
        if (missing.Count == 0) return;
        try
        {
            // Nodes that start together store the same, and the first one's stays: were it replaced while its node is about to fire, both would fire from then on.
            await scheduler.ScheduleJobs(missing, new ScheduleJobOptions(), cancellationToken);
        }
        catch (ObjectAlreadyExistsException)
        {
            // The other node may be of a version that knows less, or have left a job without its trigger.
            (missing, _) = await LookAsync(scheduler, cancellationToken);
            if (missing.Count > 0) await scheduler.ScheduleJobs(missing, ScheduleJobOptions.Replacing, cancellationToken);
        }
    }

    private async Task<(Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>> Missing, Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>> Changed)> LookAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        var (missing, changed) = (new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>>(), new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>>());
        foreach (var task in rounds.Tasks.Where(task => task.Scope == HousekeepingScope.Cluster))
        {
            var key = new TriggerKey(task.Name, HousekeepingJob.Group);
            var stored = await scheduler.GetTrigger(key, cancellationToken);
            if (stored is ISimpleTrigger simple && simple.RepeatInterval == task.Period) continue;
            (stored is null ? missing : changed).Add(JobOf(task), [TriggerOf(task, key)]);
        }
        return (missing, changed);
    }

    private static IJobDetail JobOf(IHousekeepingTask task) => JobBuilder.Create<HousekeepingJob>().WithIdentity(task.Name, HousekeepingJob.Group).StoreDurably().Build();

    // A round that was missed is made up for at once, and once only.
    private static ITrigger TriggerOf(IHousekeepingTask task, TriggerKey key) => TriggerBuilder.Create(TimeProvider.System)
        .WithIdentity(key)
        .StartAt(TimeProvider.System.GetUtcNow() + task.Period)
        .WithSchedule(SimpleScheduleBuilder.Create().WithInterval(task.Period).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NowWithExistingCount))
        .Build();
}
