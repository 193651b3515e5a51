using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Where somebody has to go when a server no longer takes the tokens there are.</summary>
internal sealed class Reauthorisation(Databases databases, SecretBox secrets, Authorizations authorizations)
{
    /// <summary>A fresh address; null for visitors, whose accounts have no place in an organisation's server, and when nobody ever began to authorise it, so that nothing is known of its authorisation server.</summary>
    public async Task<string?> AddressAsync(ServerAccess access, string? userId, CancellationToken cancellationToken)
    {
        if (Caller.IsVisitor(userId)) return null;
        await using var db = databases.Open(access.OrgId);
        var server = await db.McpServers.AsNoTracking().FirstOrDefaultAsync(s => s.Id == access.Id, cancellationToken);
        return server is not null && OAuthClient.Of(server, secrets) is { } client
            ? await authorizations.StartAsync(server, client, userId, null, cancellationToken) : null;
    }
}
