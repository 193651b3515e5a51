using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>Tasks go with their agent, and rest when it is switched off for them.</summary>
/// <remarks>Registered before the threads: an occurrence locks its task and then its thread, and so does the end of an agent.</remarks>
internal sealed class ScheduledTaskRemoval(FlapjackDb db, TimeProvider time) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.ScheduledTasks.Where(t => t.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task OnSchedulingSwitchedAsync(Guid agentId, bool enabled, CancellationToken cancellationToken)
    {
        await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
        if (!enabled) await ScheduledTaskStore.PauseAllAsync(db, agentId, time.Now(), cancellationToken);
    }
}

/// <summary>Forgets tasks that ended a while ago.</summary>
internal sealed class EndedTasks(IWriter writer, TimeProvider time) : IHousekeepingTask
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public string Name => "ended scheduled tasks";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public Task RunAsync(CancellationToken cancellationToken) => Batches.DeleteAsync(writer, [ScheduledTaskSql.Sweep(time.Now() - Kept)], cancellationToken);
}
