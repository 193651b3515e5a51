using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Delegation;

/// <summary>A sub-agent that exists, under the name and description that hold for it here.</summary>
internal sealed record KnownSubAgent(Guid Id, string Name, string? Description);

/// <summary>Reads the agents of a config.</summary>
internal static class SubAgents
{
    /// <summary>Those that still exist, in the config's order.</summary>
    public static async Task<IReadOnlyList<KnownSubAgent>> KnownAsync(FlapjackDb db, DelegatedConfig config, CancellationToken cancellationToken)
    {
        if (config.Agents.Count == 0) return [];
        var ids = config.Agents.Select(agent => agent.AgentId).ToList();
        var alive = await db.Agents.AsNoTracking().Alive().Where(a => ids.Contains(a.Id)).Select(a => new { a.Id, a.Name, a.Description }).ToDictionaryAsync(a => a.Id, cancellationToken);
        return [.. from agent in config.Agents
                   where alive.ContainsKey(agent.AgentId)
                   let own = alive[agent.AgentId]
                   select new KnownSubAgent(agent.AgentId, agent.Name ?? own.Name, agent.Description ?? own.Description)];
    }
}
