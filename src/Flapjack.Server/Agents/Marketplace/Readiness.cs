using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>What of an agent outside its profile counts for its readiness, as it stands now.</summary>
internal sealed record AgentStanding(bool HasAvatar, bool HasToolsOrKnowledge, bool IsPublished, bool HasTraffic);

/// <summary>One check of a profile and what it adds to the score.</summary>
internal sealed record ReadinessCheck(string Check, bool Ok, int Weight);

/// <summary>How ready an agent is to be shown: seven checks, 100 points together.</summary>
internal sealed record Readiness(IReadOnlyList<ReadinessCheck> Checks)
{
    /// <summary>What a listed profile needs.</summary>
    public const int ToList = 60;

    public int Score => Checks.Where(c => c.Ok).Sum(c => c.Weight);

    public IEnumerable<string> Missing => Checks.Where(c => !c.Ok).Select(c => c.Check);

    public static Readiness Of(Agent agent, MarketplaceProfile profile, AgentStanding standing) => new(
    [
        new("has_preamble", !string.IsNullOrWhiteSpace(agent.StablePreamble), 20),
        new("has_description", !string.IsNullOrWhiteSpace(profile.Description ?? agent.Description), 15),
        new("has_avatar", standing.HasAvatar, 10),
        new("has_capabilities", profile.Capabilities != "[]", 15),
        new("has_tools_or_knowledge", standing.HasToolsOrKnowledge, 15),
        new("published", standing.IsPublished, 15),
        new("has_traffic", standing.HasTraffic, 10),
    ]);
}

/// <summary>Finds out how an agent stands.</summary>
internal sealed class AgentStandings(IEnumerable<IEquipmentSource> sources, TimeProvider time)
{
    private static readonly TimeSpan Recently = TimeSpan.FromDays(30);

    public async Task<AgentStanding> OfAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken) => new(
        await db.MarketplaceAvatars.AnyAsync(a => a.AgentId == agentId, cancellationToken),
        await HasEquipmentAsync(db, agentId, cancellationToken),
        await db.Publications.AnyAsync(p => p.AgentId == agentId && p.IsActive, cancellationToken),
        await db.TurnIdsOf(agentId, time.Now() - Recently).AnyAsync(cancellationToken));

    private async Task<bool> HasEquipmentAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken)
    {
        foreach (var source in sources)
        {
            if ((await source.ListAsync(db, agentId, 1, cancellationToken)).Count > 0) return true;
        }
        return false;
    }
}
