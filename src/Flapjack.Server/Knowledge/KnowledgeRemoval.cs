using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge;

/// <summary>Documents go with their agent or thread. In its transaction they only go out of sight, because ten thousand take a database longer than a transaction should last; housekeeping erases them.</summary>
internal sealed class KnowledgeRemoval(FlapjackDb db) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => HideAsync(agentId, cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>In the transaction that deletes a thread.</summary>
    public async Task RemoveThreadAsync(Guid threadId, CancellationToken cancellationToken)
    {
        await db.TurnSources.Where(s => s.ThreadId == threadId).ExecuteDeleteAsync(cancellationToken);
        await HideAsync(threadId, cancellationToken);
    }

    private async Task HideAsync(Guid scopeId, CancellationToken cancellationToken)
    {
        var scope = db.KnowledgeScopes.Where(s => s.ScopeId == scopeId).Select(s => (long?)s.Number);
        await db.Documents.Where(d => scope.Contains(d.Scope)).ExecuteUpdateAsync(rows => rows
            .SetProperty(d => d.Status, DocumentStatuses.Deleted).SetProperty(d => d.Work, (string?)null).SetProperty(d => d.Node, (string?)null).SetProperty(d => d.Sha256, (string?)null)
            .SetProperty(d => d.FetchDueAt, (DateTime?)null).SetProperty(d => d.Revision, (long?)null).SetProperty(d => d.Claim, d => d.Claim + 1), cancellationToken);
        await db.KnowledgeScopes.Where(s => s.ScopeId == scopeId).ExecuteUpdateAsync(rows => rows
            .SetProperty(s => s.Chunks, 0).SetProperty(s => s.Words, 0).SetProperty(s => s.Version, s => s.Version + 1), cancellationToken);
    }
}

/// <summary>Documents of an organisation that was deleted, one by one: the general erasure would take too many rows at once.</summary>
internal sealed class OrgKnowledgeEnd(Databases databases, DocumentErasure erasure) : IOrgDependant
{
    public async Task OnOrgDeletedAsync(Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        foreach (var id in await db.Documents.Select(d => d.Id).ToListAsync(cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await erasure.DeleteAsync(orgId, id);
            }
            catch (Platform.Http.ApiException)
            {
                await erasure.DropAsync(id);
            }
        }
    }
}
