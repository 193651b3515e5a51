using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>A profile with what people are shown beside it.</summary>
internal sealed record ShownProfile(MarketplaceProfile Profile, Agent Agent, Guid? AvatarId, Readiness Readiness);

/// <summary>Reads and changes profiles. Changes of one agent wait for each other; two agents that want one handle find out by its index.</summary>
internal sealed class MarketplaceProfiles(Databases databases, AgentStandings standings, TimeProvider time)
{
    private const int MaxAttempts = 5;

    /// <summary>Who has lost so many races for the next number stops racing.</summary>
    private const int NumberedAttempts = 2;

    /// <summary>404 when the agent has none.</summary>
    public async Task<ShownProfile> ReadAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var profile = await db.MarketplaceProfiles.AsNoTracking().FirstOrDefaultAsync(p => p.AgentId == agentId, cancellationToken) ?? throw NotFound();
        return await ShownAsync(db, profile, agent, await standings.OfAsync(db, agentId, cancellationToken), cancellationToken);
    }

    /// <summary>Takes over what was sent into the profile, which is made when there is none.</summary>
    /// <param name="agent">Whose.</param>
    /// <param name="request">Checked fields.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ShownProfile> MergeAsync(Agent agent, MarketplaceProfileRequest request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var db = databases.Open(agent.OrgId);
            try
            {
                return await TryMergeAsync(db, agent, request, attempt, cancellationToken);
            }
            catch (DbUpdateException fault) when (DatabaseFaults.IsConflict(fault))
            {
                // Another agent took the handle this very moment.
                if (request.Handle.Value is not null || attempt == MaxAttempts) throw HandleTaken();
            }
        }
    }

    /// <summary>Takes the profile and its picture away. 404 when there is none.</summary>
    public static async Task DeleteAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Agents.HoldAsync(agentId, cancellationToken);
        await db.MarketplaceAvatars.Where(a => a.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);
        if (await db.MarketplaceProfiles.Where(p => p.AgentId == agentId).ExecuteDeleteAsync(cancellationToken) == 0) throw NotFound();
        await transaction.CommitAsync(cancellationToken);
    }

    public static ApiException NotFound() => ApiException.NotFound("Marketplace profile");

    private async Task<ShownProfile> TryMergeAsync(FlapjackDb db, Agent agent, MarketplaceProfileRequest request, int attempt, CancellationToken cancellationToken)
    {
        // Before the transaction: on SQLite nobody else writes while it lasts.
        var standing = await standings.OfAsync(db, agent.Id, cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Agents.HoldAsync(agent.Id, cancellationToken);
        var now = time.Now();
        var known = await db.MarketplaceProfiles.FirstOrDefaultAsync(p => p.AgentId == agent.Id, cancellationToken);
        var profile = known ?? new MarketplaceProfile { AgentId = agent.Id, OrgId = agent.OrgId, Handle = "", CreatedAt = now, UpdatedAt = now };
        var wasListed = profile.Visibility == MarketplaceProfile.Listed;
        request.ApplyTo(profile);
        if (known is null || request.Handle.IsSet) profile.Handle = await HandleAsync(db, agent, request.Handle.Value is { } wanted ? [wanted] : MarketplaceHandle.Proposals(agent.Name, attempt <= NumberedAttempts), cancellationToken);
        if (!wasListed && profile.Visibility == MarketplaceProfile.Listed) RequireReady(Readiness.Of(agent, profile, standing));
        profile.UpdatedAt = now;
        if (known is null) db.MarketplaceProfiles.Add(profile);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return await ShownAsync(db, profile, agent, standing, cancellationToken);
    }

    private static async Task<string> HandleAsync(FlapjackDb db, Agent agent, IReadOnlyList<string> proposals, CancellationToken cancellationToken)
    {
        // Handles are those of the whole server.
        var taken = await db.MarketplaceProfiles.IgnoreQueryFilters().Where(p => proposals.Contains(p.Handle) && p.AgentId != agent.Id).Select(p => p.Handle).ToListAsync(cancellationToken);
        return proposals.FirstOrDefault(p => !taken.Contains(p)) ?? throw HandleTaken();
    }

    private static void RequireReady(Readiness readiness)
    {
        if (readiness.Score >= Readiness.ToList) return;
        throw ApiException.Conflict($"the readiness_score is {readiness.Score} and listing needs {Readiness.ToList}; missing: {string.Join(", ", readiness.Missing)}");
    }

    private static async Task<ShownProfile> ShownAsync(FlapjackDb db, MarketplaceProfile profile, Agent agent, AgentStanding standing, CancellationToken cancellationToken) =>
        new(profile, agent, await db.MarketplaceAvatars.Where(a => a.AgentId == agent.Id).Select(a => (Guid?)a.Id).FirstOrDefaultAsync(cancellationToken), Readiness.Of(agent, profile, standing));

    private static ApiException HandleTaken() => ApiException.Conflict("the handle belongs to another agent");
}

/// <summary>Profile and picture go with their agent, and the handle is free again.</summary>
internal sealed class MarketplaceRemoval(FlapjackDb db) : IAgentDependant
{
    public async Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken)
    {
        await db.MarketplaceAvatars.Where(a => a.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);
        await db.MarketplaceProfiles.Where(p => p.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);
    }

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
