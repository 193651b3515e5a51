using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp;

/// <summary>Adds servers. Names may repeat, slugs must not: two that are added at once under one name get different ones.</summary>
internal sealed class McpCreation(FlapjackDb db, McpEditor editor, CallerContext access, TimeProvider time)
{
    private const int MaxAttempts = 10;

    public async Task<McpServer> CreateAsync(McpServerRequest request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var slug = McpSlug.Of(request.Name.Value ?? "");
            var taken = await db.McpServers.Select(s => s.Slug).ToHashSetAsync(cancellationToken);
            var now = time.Now();
            var server = new McpServer { Id = Ids.New(), OrgId = access.OrgId, Name = "", Slug = McpSlug.Free(slug, taken), Transport = "", CreatedAt = now, UpdatedAt = now };
            await editor.ApplyAsync(server, request, cancellationToken);
            db.McpServers.Add(server);
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                return server;
            }
            catch (DbUpdateException fault) when (attempt < MaxAttempts && DatabaseFaults.IsConflict(fault))
            {
                // Somebody took the slug this very moment; the next look finds it taken.
                db.Entry(server).State = EntityState.Detached;
            }
        }
    }
}
