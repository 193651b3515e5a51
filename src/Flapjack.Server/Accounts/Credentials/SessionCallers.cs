using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>A session with the person behind it, as the database has them now.</summary>
internal sealed record SessionCaller(bool IsLive, Caller Caller);

/// <summary>Reads session, person and roles in one query, on every request that carries a token.</summary>
internal sealed class SessionCallers(Databases databases, TimeProvider time)
{
    /// <summary>Null when there is no such session.</summary>
    public async ValueTask<SessionCaller?> FindAsync(Guid sessionId, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        var rows = await RowsAsync(db, sessionId, cancellationToken);
        if (rows is not [var first, ..]) return null;
        var now = time.Now();
        var isLive = first.RevokedAt is null && first.ExpiresAt > now;
        if (isLive && User.IsStale(first.LastSeenAt, now)) await NoteVisitAsync(db, first.UserId, now, cancellationToken);
        var roles = rows.Where(r => r.OrgId is not null).ToDictionary(r => r.OrgId!.Value, r => r.Role!.Value);
        return new(isLive, new Caller
        {
            Kind = CallerKind.User,
            OrgId = roles.ContainsKey(first.DefaultOrgId) || roles.Count == 0 ? first.DefaultOrgId : roles.Keys.Min(),
            UserId = first.UserId,
            UserName = first.Name ?? first.Email,
            SessionId = sessionId,
            Roles = roles,
        });
    }

    // One row a membership; one row without an organisation for a user who has none.
    private static Task<List<Row>> RowsAsync(FlapjackDb db, Guid sessionId, CancellationToken cancellationToken) =>
        (from session in db.Sessions
         join user in db.Users on session.UserId equals user.Id
         from membership in db.Memberships.Where(m => m.UserId == user.Id).DefaultIfEmpty()
         where session.Id == sessionId
         select new Row(session.RevokedAt, session.ExpiresAt, user.Id, user.DefaultOrgId, user.Name, user.Email, user.LastSeenAt,
             membership == null ? null : membership.OrgId, membership == null ? null : membership.Role)).ToListAsync(cancellationToken);

    private static async Task NoteVisitAsync(FlapjackDb db, Guid userId, DateTime now, CancellationToken cancellationToken)
    {
        var user = await db.Users.FirstOrDefaultAsync(u => u.Id == userId, cancellationToken);
        user?.Seen(now);
        await db.SaveChangesAsync(cancellationToken);
    }

    private sealed record Row(DateTime? RevokedAt, DateTime ExpiresAt, Guid UserId, Guid DefaultOrgId, string? Name, string Email, DateTime? LastSeenAt, Guid? OrgId, Role? Role);
}
