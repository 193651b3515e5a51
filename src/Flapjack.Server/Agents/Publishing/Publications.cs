using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Publishing;

/// <summary>Finds what is published. Asked by strangers, so it looks through all organisations.</summary>
internal sealed class Publications(Databases databases)
{
    /// <summary>An active publication whose agent is there; null for any other slug.</summary>
    public async Task<PublishedAgent?> FindAsync(string slug, CancellationToken cancellationToken)
    {
        if (!Publication.IsSlug(slug)) return null;
        await using var db = databases.OpenForServer();
        var active = db.Publications.IgnoreQueryFilters().AsNoTracking().Where(p => p.Slug == slug && p.IsActive);
        var agents = db.Agents.IgnoreQueryFilters().Where(a => a.DeletedAt == null && !a.Hidden);
        return await active.Join(agents, p => p.AgentId, a => a.Id, (p, a) => new PublishedAgent(p, a.Name, a.Description)).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>True when anybody may know of the agent.</summary>
    public async Task<bool> IsPublicAsync(Guid agentId, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        return await db.Publications.IgnoreQueryFilters().AnyAsync(p => p.AgentId == agentId && p.IsActive && p.Visibility == Publication.Public, cancellationToken);
    }
}

/// <summary>A publication and what it takes from its agent.</summary>
internal sealed record PublishedAgent(Publication Publication, string AgentName, string? AgentDescription)
{
    public string Title => Publication.Title ?? AgentName;

    public string? Description => Publication.Description ?? AgentDescription;
}

/// <summary>A deleted agent is published no more. Its slugs stay reserved: who has its address must not meet somebody else.</summary>
internal sealed class PublicationRemoval(FlapjackDb db, TimeProvider time) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken)
    {
        var now = time.Now();
        return db.Publications.Where(p => p.AgentId == agentId && p.IsActive).ExecuteUpdateAsync(set => set.SetProperty(p => p.IsActive, false).SetProperty(p => p.UpdatedAt, now), cancellationToken);
    }

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
