using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Delegation;

/// <summary>Agents that delegate to one that is deleted or renamed have other tools from then on.</summary>
internal sealed class DelegatedChanges(FlapjackDb db) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => ChangedAsync(agentId, cancellationToken);

    public Task OnRenamedAsync(Guid agentId, CancellationToken cancellationToken) => ChangedAsync(agentId, cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;

    private Task ChangedAsync(Guid agentId, CancellationToken cancellationToken)
    {
        var id = agentId.ToString();
        return AgentEquipment.ChangedAsync(db, db.AgentConfigs.Where(c => c.Name == DelegatedConfig.Name && c.Value.Contains(id)).Select(c => c.AgentId), cancellationToken);
    }
}
