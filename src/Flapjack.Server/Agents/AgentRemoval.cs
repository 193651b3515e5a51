using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents;

/// <summary>Deletes an agent together with what depends on it.</summary>
internal sealed class AgentRemoval(FlapjackDb db, TimeProvider time)
{
    public async Task RemoveAsync(Agent agent, CancellationToken cancellationToken)
    {
        var now = time.Now();
        agent.DeletedAt = now;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await db.Threads.Where(t => t.AgentId == agent.Id).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.Status, "archived").SetProperty(t => t.UpdatedAt, now), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
