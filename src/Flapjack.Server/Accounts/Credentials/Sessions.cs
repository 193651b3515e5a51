using System.Linq.Expressions;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>What a client holds of a session.</summary>
internal sealed record SessionTokens(User User, string Access, string Refresh, TimeSpan AccessLifetime);

/// <summary>Opens, continues and ends sessions.</summary>
internal sealed class Sessions(FlapjackDb db, AccessTokens access, OpaqueTokens opaque, Revocations revocations, ServerSettings settings, TimeProvider time)
{
    /// <summary>Opens a session for a user who has proved who they are.</summary>
    public async Task<SessionTokens> OpenAsync(User user, string issuer, bool byLink, CancellationToken cancellationToken)
    {
        var (id, now) = (Ids.New(), time.Now());
        var refresh = opaque.NewRefreshToken(id);
        db.Sessions.Add(new Session { Id = id, UserId = user.Id, RefreshHash = opaque.HashOf(refresh), CreatedAt = now, ExpiresAt = now + settings.Auth.RefreshLifetime, OpenedByLink = byLink });
        user.Seen(now);
        await db.SaveChangesAsync(cancellationToken);
        return await TokensAsync(user, id, refresh, issuer, cancellationToken);
    }

    /// <summary>Exchanges a refresh token for new tokens. One that was exchanged before is stolen, here or there, and ends the session.</summary>
    public async Task<SessionTokens> RefreshAsync(string refreshToken, string issuer, CancellationToken cancellationToken)
    {
        var session = opaque.SessionOf(refreshToken) is { } id ? await db.Sessions.FirstOrDefaultAsync(s => s.Id == id, cancellationToken) : null;
        if (session is null || !session.IsLive(time.Now())) throw Refused();
        var isNewest = session.RefreshHash == opaque.HashOf(refreshToken);
        if (!isNewest || await RotateAsync(session, cancellationToken) is not { } next)
        {
            await EndAsync(s => s.Id == session.Id, cancellationToken);
            throw Refused();
        }
        var user = await db.Users.FirstAsync(u => u.Id == session.UserId, cancellationToken);
        return await TokensAsync(user, session.Id, next, issuer, cancellationToken);
    }

    /// <summary>Ends sessions at once, their access tokens and running streams included. Saves whatever else the unit of work holds, in the same transaction.</summary>
    public async Task EndAsync(Expression<Func<Session, bool>> which, CancellationToken cancellationToken)
    {
        while (true)
        {
            var open = await db.Sessions.Where(which).Where(s => s.RevokedAt == null).ToListAsync(cancellationToken);
            foreach (var session in open) session.RevokedAt = time.Now();
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                foreach (var session in open) revocations.Revoke(session.Id);
                return;
            }
            catch (DbUpdateConcurrencyException exception)
            {
                // A refresh came between; look again and end what it left.
                foreach (var entry in exception.Entries) await entry.ReloadAsync(cancellationToken);
            }
        }
    }

    /// <summary>The new refresh token; null when another request exchanged the old one at the same moment.</summary>
    private async Task<string?> RotateAsync(Session session, CancellationToken cancellationToken)
    {
        var next = opaque.NewRefreshToken(session.Id);
        session.RefreshHash = opaque.HashOf(next);
        session.ExpiresAt = time.Now() + settings.Auth.RefreshLifetime;
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return next;
        }
        catch (DbUpdateConcurrencyException)
        {
            await db.Entry(session).ReloadAsync(cancellationToken);
            return null;
        }
    }

    private async Task<SessionTokens> TokensAsync(User user, Guid sessionId, string refresh, string issuer, CancellationToken cancellationToken) =>
        new(user, await access.IssueAsync(user, sessionId, issuer, cancellationToken), refresh, settings.Auth.AccessLifetime);

    private static ApiException Refused() => ApiException.Unauthorized("the refresh token is unknown, used or expired");
}
