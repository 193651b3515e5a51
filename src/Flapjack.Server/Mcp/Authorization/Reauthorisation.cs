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
    /// <param name="access">The server.</param>
    /// <param name="missing">Scopes to ask for beside those of before.</param>
    /// <param name="userId">Who is asked.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<string?> AddressAsync(ServerAccess access, string? missing, string? userId, CancellationToken cancellationToken)
    {
        if (Caller.IsVisitor(userId)) return null;
        await using var db = databases.Open(access.OrgId);
        var server = await db.McpServers.AsNoTracking().FirstOrDefaultAsync(s => s.Id == access.Id, cancellationToken);
        if (server is null || OAuthClient.Of(server, secrets) is not { } client) return null;
        if (missing is not null) client = client with { Scope = Join(client.Scope ?? server.OauthScope, missing) };
        return await authorizations.StartAsync(server, client, userId, null, cancellationToken);
    }

    private static string Join(string? scope, string missing) => string.Join(' ', $"{scope} {missing}".Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal));
}
