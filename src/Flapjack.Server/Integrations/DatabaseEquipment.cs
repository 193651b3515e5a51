using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations;

/// <summary>The databases of an agent, for those who describe it.</summary>
internal sealed class DatabaseEquipment : IEquipmentSource
{
    public async Task<IReadOnlyList<EquipmentItem>> ListAsync(FlapjackDb db, Guid agentId, int most, CancellationToken cancellationToken)
    {
        var rows = from attached in db.AgentIntegrations
                   where attached.AgentId == agentId
                   join integration in db.Integrations on attached.IntegrationId equals integration.Id
                   orderby attached.CreatedAt, attached.Id
                   select new EquipmentItem("database", integration.Name, null);
        return await rows.Take(most).ToListAsync(cancellationToken);
    }
}
