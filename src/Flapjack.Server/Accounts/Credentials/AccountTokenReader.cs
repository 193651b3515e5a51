using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Recognises access tokens of this server's accounts. Session and roles are read from the database on every request, so a revocation or a new role holds at once on every node.</summary>
internal sealed class AccountTokenReader(Databases databases, AccessTokens tokens, SessionCallers sessions) : ICredentialReader
{
    public bool Recognises(string token) => token.StartsWith("eyJ", StringComparison.Ordinal) && token.AsSpan().Count('.') == 2;

    public async ValueTask<Caller?> ReadAsync(string token, CancellationToken cancellationToken) =>
        await tokens.ReadAsync(token, cancellationToken) is var (userId, sessionId)
        && await sessions.FindAsync(sessionId, cancellationToken) is { IsLive: true } session && session.Caller.UserId == userId ? session.Caller : null;

    public async Task<IReadOnlyList<Guid>> RevokedAmongAsync(IReadOnlyList<Guid> credentialIds, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        return await db.Sessions.Where(s => credentialIds.Contains(s.Id) && s.RevokedAt != null).Select(s => s.Id).ToListAsync(cancellationToken);
    }
}
