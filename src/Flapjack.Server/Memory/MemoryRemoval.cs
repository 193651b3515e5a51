using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Memory;

/// <summary>An agent takes its memories along, of every scope, since nobody could reach them any more; a thread takes those that are its own.</summary>
internal sealed class MemoryRemoval(FlapjackDb db) : IAgentDependant, IThreadDependant
{
    Task IAgentDependant.OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.Memories.Where(m => m.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    Task IThreadDependant.OnDeletedAsync(Guid threadId, CancellationToken cancellationToken) => db.Memories.Where(m => m.ThreadId == threadId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
