using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp;

internal static class McpQueries
{
    public static async Task<McpServer> FindMcpAsync(this FlapjackDb db, Guid id, CancellationToken cancellationToken) =>
        await db.McpServers.FirstOrDefaultAsync(s => s.Id == id, cancellationToken) ?? throw ApiException.NotFound("MCP server");

    /// <summary>As <see cref="FindMcpAsync"/>, for changes: what a skill made only the skill changes.</summary>
    public static async Task<McpServer> FindOwnMcpAsync(this FlapjackDb db, Guid id, CancellationToken cancellationToken)
    {
        var server = await db.FindMcpAsync(id, cancellationToken);
        return server.SkillId is null ? server : throw ApiException.Conflict("a skill made this server; change the skill");
    }

    /// <summary>Says that the agents that have a server get something else from now on. In the caller's transaction.</summary>
    public static Task McpChangedAsync(this FlapjackDb db, Guid serverId, CancellationToken cancellationToken) =>
        AgentEquipment.ChangedAsync(db, db.McpAttachments.Where(a => a.McpServerId == serverId).Select(a => a.AgentId), cancellationToken);
}
