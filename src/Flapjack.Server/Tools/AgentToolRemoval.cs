using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tools;

/// <summary>A deleted agent has no tools any more.</summary>
internal sealed class AgentToolRemoval(FlapjackDb db) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.AgentTools.Where(a => a.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
