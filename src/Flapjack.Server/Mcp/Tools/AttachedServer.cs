using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>A server that an agent has, as its turns remember it until something changes.</summary>
internal sealed record AttachedServer(ServerAccess Access, string Slug, IReadOnlyList<ListedTool> Tools, DateTime? ListedAt, string Status, IReadOnlyList<string>? Allowed, IReadOnlyList<string>? AllowedHere)
{
    /// <summary>Both allow-lists let the tool through.</summary>
    public bool Allows(string tool) => (Allowed is null || Allowed.Contains(tool)) && (AllowedHere is null || AllowedHere.Contains(tool));
}

/// <summary>The enabled servers of an agent, in the order of attaching.</summary>
internal sealed record AttachedServers(IReadOnlyList<AttachedServer> All)
{
    public static async Task<AttachedServers> LoadAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken)
    {
        var rows = await db.McpAttachments.AsNoTracking().Where(a => a.AgentId == agentId).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id)
            .Join(db.McpServers.Where(s => s.Enabled), a => a.McpServerId, s => s.Id, (a, s) => new { Attachment = a, Server = s }).ToListAsync(cancellationToken);
        return new(rows.ConvertAll(row => new AttachedServer(
            ServerAccess.Of(row.Server), row.Server.Slug, ListedTool.Read(row.Server.Tools), row.Server.ToolsCachedAt, row.Server.Status, row.Server.AllowedNames, McpServer.NamesIn(row.Attachment.AllowedTools))));
    }
}
