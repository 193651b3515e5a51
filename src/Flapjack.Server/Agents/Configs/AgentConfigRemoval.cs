using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Configs;

/// <summary>Configs, and the secrets in them, go with their agent.</summary>
internal sealed class AgentConfigRemoval(FlapjackDb db) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.AgentConfigs.Where(c => c.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
