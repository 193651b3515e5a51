using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tools;

internal static class ToolQueries
{
    public static async Task<WebhookTool> FindToolAsync(this FlapjackDb db, Guid id, CancellationToken cancellationToken) =>
        await db.Tools.FirstOrDefaultAsync(t => t.Id == id, cancellationToken) ?? throw ApiException.NotFound("Tool");

    /// <summary>The agents that have a tool.</summary>
    public static IQueryable<Guid> AgentsWithTool(this FlapjackDb db, Guid toolId) => db.AgentTools.Where(a => a.ToolId == toolId).Select(a => a.AgentId);

    public static IQueryable<WebhookTool> Search(this IQueryable<WebhookTool> tools, string? text)
    {
        if (string.IsNullOrEmpty(text)) return tools;
        var needle = text.ToLowerInvariant();
#pragma warning disable CA1304, CA1311, CA1862 // Translated to SQL lower(), which knows no culture.
        return tools.Where(t => t.Name.ToLower().Contains(needle) || t.Description.ToLower().Contains(needle));
#pragma warning restore CA1304, CA1311, CA1862
    }
}
