using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge;

/// <summary>The documents of an agent that can be found, for those who describe it. Those of its organisation are every agent's.</summary>
internal sealed class DocumentEquipment : IEquipmentSource
{
    public async Task<IReadOnlyList<EquipmentItem>> ListAsync(FlapjackDb db, Guid agentId, int most, CancellationToken cancellationToken)
    {
        var rows = from scope in db.KnowledgeScopes
                   where scope.ScopeId == agentId && scope.Type == ScopeTypes.Agent
                   join document in db.Documents on (long?)scope.Number equals document.Scope
                   where document.Status == DocumentStatuses.Ready
                   orderby document.CreatedAt, document.Id
                   select new EquipmentItem("document", document.Title, null);
        return await rows.Take(most).ToListAsync(cancellationToken);
    }
}
