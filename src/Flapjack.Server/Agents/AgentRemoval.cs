using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Agents;

/// <summary>Deletes an agent together with what depends on it.</summary>
internal sealed class AgentRemoval(FlapjackDb db, IEnumerable<IAgentDependant> dependants, TimeProvider time)
{
    public async Task RemoveAsync(Agent agent, CancellationToken cancellationToken)
    {
        agent.DeletedAt = time.Now();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        foreach (var dependant in dependants) await dependant.OnDeletedAsync(agent.Id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
