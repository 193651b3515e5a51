using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tools;

/// <summary>The webhook tools of an agent, for those who describe it.</summary>
internal sealed class ToolEquipment : IEquipmentSource
{
    public async Task<IReadOnlyList<EquipmentItem>> ListAsync(FlapjackDb db, Guid agentId, int most, CancellationToken cancellationToken)
    {
        var rows = from attached in db.AgentTools
                   where attached.AgentId == agentId
                   join tool in db.Tools on attached.ToolId equals tool.Id
                   where tool.Enabled
                   orderby attached.CreatedAt, attached.Id
                   select new EquipmentItem("tool", tool.Name, tool.Description);
        return await rows.Take(most).ToListAsync(cancellationToken);
    }
}
