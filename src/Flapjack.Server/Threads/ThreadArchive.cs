using Flapjack.Server.Agents;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

/// <summary>Threads of a deleted agent stay readable in the archive; threads of an agent without profiles use none.</summary>
internal sealed class ThreadArchive(FlapjackDb db, TimeProvider time) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken)
    {
        var now = time.Now();
        return db.Threads.Where(t => t.AgentId == agentId).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.Status, "archived").SetProperty(t => t.UpdatedAt, now), cancellationToken);
    }

    // Profiles that come later under an old name are not the ones the threads chose.
    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) =>
        db.Threads.Where(t => t.AgentId == agentId && t.ActiveProfile != null).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.ActiveProfile, (string?)null), cancellationToken);
}
