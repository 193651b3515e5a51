using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations;

/// <summary>Stores changes of integrations together with their agents' count of changes, and lets go of connections that no longer hold.</summary>
internal sealed class IntegrationChange(FlapjackDb db, DatabasePools pools, TimeProvider time)
{
    public async Task SaveAsync(Integration row, CancellationToken cancellationToken)
    {
        row.UpdatedAt = time.Now();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            // Deleted while its database was looked at.
            throw ApiException.NotFound("Integration");
        }
        await AgentEquipment.ChangedAsync(db, AgentsOf(row.Id), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        pools.Close(row.Id);
    }

    public async Task DeleteAsync(Integration row, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await AgentEquipment.ChangedAsync(db, AgentsOf(row.Id), cancellationToken);
        await db.AgentIntegrations.Where(a => a.IntegrationId == row.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Integrations.Where(i => i.Id == row.Id).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        pools.Close(row.Id);
    }

    private IQueryable<Guid> AgentsOf(Guid integrationId) => db.AgentIntegrations.Where(a => a.IntegrationId == integrationId).Select(a => a.AgentId);
}

/// <summary>What an agent was given goes with it; the databases stay.</summary>
internal sealed class AgentIntegrationRemoval(FlapjackDb db) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.AgentIntegrations.Where(a => a.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
