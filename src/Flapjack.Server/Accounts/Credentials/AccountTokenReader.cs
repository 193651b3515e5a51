using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Recognises access tokens of this server's accounts. Session and roles are read from the database on every request, so a revocation or a new role holds at once on every node.</summary>
internal sealed class AccountTokenReader(Databases databases, AccessTokens tokens, TimeProvider time) : ICredentialReader
{
    public bool Recognises(string token) => token.StartsWith("eyJ", StringComparison.Ordinal) && token.AsSpan().Count('.') == 2;

    public async ValueTask<Caller?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        if (await tokens.ReadAsync(token, cancellationToken) is not (var userId, var sessionId)) return null;
        await using var db = databases.OpenForServer();
        var rows = await RowsAsync(db, userId, sessionId, cancellationToken);
        var now = time.Now();
        if (rows is not [var first, ..] || first.RevokedAt is not null || first.ExpiresAt <= now) return null;
        if (User.IsStale(first.LastSeenAt, now)) await NoteVisitAsync(db, userId, now, cancellationToken);
        var roles = rows.Where(r => r.OrgId is not null).ToDictionary(r => r.OrgId!.Value, r => r.Role!.Value);
        return new Caller
        {
            Kind = CallerKind.User,
            OrgId = roles.ContainsKey(first.DefaultOrgId) || roles.Count == 0 ? first.DefaultOrgId : roles.Keys.Min(),
            UserId = userId,
            UserName = first.Name ?? first.Email,
            SessionId = sessionId,
            Roles = roles,
        };
    }

    public async Task<IReadOnlyList<Guid>> RevokedAmongAsync(IReadOnlyList<Guid> credentialIds, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        return await db.Sessions.Where(s => credentialIds.Contains(s.Id) && s.RevokedAt != null).Select(s => s.Id).ToListAsync(cancellationToken);
    }

    // One row a membership; one row without an organisation for a user who has none.
    private static Task<List<Row>> RowsAsync(FlapjackDb db, Guid userId, Guid sessionId, CancellationToken cancellationToken) =>
        (from session in db.Sessions
         join user in db.Users on session.UserId equals user.Id
         from membership in db.Memberships.Where(m => m.UserId == user.Id).DefaultIfEmpty()
         where session.Id == sessionId && user.Id == userId
         select new Row(session.RevokedAt, session.ExpiresAt, user.DefaultOrgId, user.Name, user.Email, user.LastSeenAt,
             membership == null ? null : membership.OrgId, membership == null ? null : membership.Role)).ToListAsync(cancellationToken);

    private static async Task NoteVisitAsync(FlapjackDb db, Guid userId, DateTime now, CancellationToken cancellationToken)
    {
        var user = await db.Users.FirstOrDefaultAsync(u => u.Id == userId, cancellationToken);
        user?.Seen(now);
        await db.SaveChangesAsync(cancellationToken);
    }

    private sealed record Row(DateTime? RevokedAt, DateTime ExpiresAt, Guid DefaultOrgId, string? Name, string Email, DateTime? LastSeenAt, Guid? OrgId, Role? Role);
}
