using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp;

/// <summary>The MCP servers of an agent, for those who describe it.</summary>
internal sealed class McpEquipment : IEquipmentSource
{
    public async Task<IReadOnlyList<EquipmentItem>> ListAsync(FlapjackDb db, Guid agentId, int most, CancellationToken cancellationToken)
    {
        var rows = from attached in db.McpAttachments
                   where attached.AgentId == agentId
                   join server in db.McpServers on attached.McpServerId equals server.Id
                   where server.Enabled
                   orderby attached.CreatedAt, attached.Id
                   select new EquipmentItem("mcp_server", server.Name, null);
        return await rows.Take(most).ToListAsync(cancellationToken);
    }
}
