using Flapjack.Server.Platform.Http;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents;

internal static class AgentQueries
{
    public static IQueryable<Agent> Alive(this IQueryable<Agent> agents) => agents.Where(a => a.DeletedAt == null && !a.Hidden);

    public static async Task<Agent> FindAliveAsync(this IQueryable<Agent> agents, Guid id, CancellationToken cancellationToken) =>
        await agents.Alive().FirstOrDefaultAsync(a => a.Id == id, cancellationToken) ?? throw ApiException.NotFound("Agent");

    /// <summary>Keeps an agent from being deleted until the caller's transaction ends, so that nothing is stored for one that is gone. 404 when it is.</summary>
    public static async Task HoldAsync(this IQueryable<Agent> agents, Guid id, CancellationToken cancellationToken)
    {
        var held = await agents.Alive().Where(a => a.Id == id).ExecuteUpdateAsync(set => set.SetProperty(a => a.Equipment, a => a.Equipment), cancellationToken);
        if (held == 0) throw ApiException.NotFound("Agent");
    }

    /// <summary>Deleted agents included: their threads stay readable.</summary>
    public static async Task<Agent> FindAnyAsync(this IQueryable<Agent> agents, Guid id, CancellationToken cancellationToken) =>
        await agents.AsNoTracking().FirstOrDefaultAsync(a => a.Id == id && !a.Hidden, cancellationToken) ?? throw ApiException.NotFound("Agent");

    public static IQueryable<Agent> Search(this IQueryable<Agent> agents, string? text, Guid? projectId)
    {
        if (projectId is not null) agents = agents.Where(a => a.ProjectId == projectId);
        if (string.IsNullOrEmpty(text)) return agents;
        var needle = text.ToLowerInvariant();
#pragma warning disable CA1304, CA1311, CA1862 // Translated to SQL lower(), which knows no culture.
        return agents.Where(a => a.Name.ToLower().Contains(needle) || a.Description != null && a.Description.ToLower().Contains(needle));
#pragma warning restore CA1304, CA1311, CA1862
    }
}
