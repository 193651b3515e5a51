using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge.Turns;

/// <summary>Whether there is anything an agent's turns could find, so that a turn with nothing to find asks nobody.</summary>
/// <param name="Org">The organisation has documents.</param>
/// <param name="Agent">The agent has some.</param>
/// <param name="Threads">Some thread of the organisation has.</param>
/// <remarks>The count of the agent's equipment changes when a scope gets its first document or loses its last, so this holds on every node until then.</remarks>
internal sealed record KnowledgeReach(bool Org, bool Agent, bool Threads)
{
    public static ValueTask<KnowledgeReach> OfAsync(AgentEquipment equipment, EquipmentRequest request, CancellationToken cancellationToken) =>
        equipment.OfAsync(request, async (db, agentId, stop) => await LoadAsync(db, request.OrgId, agentId, stop), cancellationToken);

    /// <summary>The scopes to search.</summary>
    public IReadOnlyList<Guid> Scopes(EquipmentRequest request, KnowledgeConfig config)
    {
        var scopes = new List<Guid>(3);
        if (Org && config.IncludeOrg) scopes.Add(request.OrgId);
        if (Agent) scopes.Add(request.AgentId!.Value);
        if (Threads && request.ThreadId is { } thread) scopes.Add(thread);
        return scopes;
    }

    private static async Task<KnowledgeReach> LoadAsync(FlapjackDb db, Guid orgId, Guid agentId, CancellationToken cancellationToken)
    {
        var filled = db.KnowledgeScopes.Where(s => s.Chunks > 0);
        var own = await filled.Where(s => s.ScopeId == orgId || s.ScopeId == agentId).Select(s => s.ScopeId).ToListAsync(cancellationToken);
        return new(own.Contains(orgId), own.Contains(agentId), await filled.AnyAsync(s => s.Type == ScopeTypes.Thread, cancellationToken));
    }
}
