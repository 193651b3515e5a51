using Flapjack.Server.Accounts.Organisations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.External;

/// <summary>Lets in the person behind a token that is seen for the first time.</summary>
/// <remarks>
/// 1 By issuer and subject, 2 else by an e-mail that the issuer has verified and the account has confirmed, 3 else as a new person where the issuer may bring those,
/// 4 else 403. Then the mapped organisation and role are taken over, and the token's session is opened; all of it is stored together.
/// </remarks>
internal sealed class Admission(Databases databases, TimeProvider time)
{
    public async Task AdmitAsync(ExternalToken token, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var db = databases.OpenForServer();
            if (await db.Sessions.AnyAsync(s => s.Id == token.SessionId, cancellationToken)) return;
            var user = await FindAsync(db, token, cancellationToken);
            var org = await OrgAsync(db, token, cancellationToken);
            if (user is null)
            {
                user = await CreateAsync(db, token, org, cancellationToken);
                if (user is null && attempt < 3) continue;
                if (user is null) throw Refused("the e-mail of this token belongs to an account that cannot be matched to it");
            }
            else if (org is not null) await MapAsync(db, token, user, org, cancellationToken);
            db.Sessions.Add(new Session { Id = token.SessionId, UserId = user.Id, RefreshHash = Session.External, CreatedAt = time.Now(), ExpiresAt = token.ExpiresAt });
            user.Seen(time.Now());
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                return;
            }
            catch (DbUpdateException) when (attempt < 3)
            {
                // Another request with a token of the same person was faster, here or on another node.
            }
        }
    }

    private async Task<User?> FindAsync(FlapjackDb db, ExternalToken token, CancellationToken cancellationToken)
    {
        var known = await (from identity in db.ExternalIdentities
                           join user in db.Users on identity.UserId equals user.Id
                           where identity.Issuer == token.Issuer.Issuer && identity.Subject == token.Subject
                           select user).FirstOrDefaultAsync(cancellationToken);
        if (known is not null || token.Email is not { } email || token.EmailVerified != true) return known;
        var same = await db.Users.FirstOrDefaultAsync(u => u.Email == email && u.EmailConfirmed, cancellationToken);
        if (same is not null) AddIdentity(db, token, same.Id);
        return same;
    }

    /// <summary>The new person; null when somebody has the address. That may be the same person, whom another request has made since we looked.</summary>
    private async Task<User?> CreateAsync(FlapjackDb db, ExternalToken token, Organisation? org, CancellationToken cancellationToken)
    {
        if (!token.Issuer.AutoProvision) throw Refused("nobody here belongs to this token");
        if (org is null) throw Refused("the organisation of this token does not exist here");
        if (token.Email is not { } email || token.EmailVerified == false) throw Refused("this token has no e-mail that its issuer stands for");
        if (await db.Users.AnyAsync(u => u.Email == email, cancellationToken)) return null;
        var user = new User { Id = Ids.New(), Email = email, EmailConfirmed = token.EmailVerified == true, Name = token.Name, DefaultOrgId = org.Id, CreatedAt = time.Now() };
        db.Users.Add(user);
        AddIdentity(db, token, user.Id);
        AddMembership(db, org.Id, user.Id, MappedRole(token) ?? token.Issuer.DefaultRole);
        return user;
    }

    // The issuer decides where it was asked to: its word about organisation or role holds at each login. What it says nothing about is left to the admins here.
    private async Task MapAsync(FlapjackDb db, ExternalToken token, User user, Organisation org, CancellationToken cancellationToken)
    {
        var mapped = MappedRole(token);
        var membership = await db.Memberships.FirstOrDefaultAsync(m => m.OrgId == org.Id && m.UserId == user.Id, cancellationToken);
        if (membership is null)
        {
            if (token.Issuer.AutoProvision && (mapped is not null || OrgName(token) is not null)) AddMembership(db, org.Id, user.Id, mapped ?? token.Issuer.DefaultRole);
            return;
        }
        if (mapped is not { } role || role == membership.Role) return;
        if (membership.Role == Role.Owner && !await db.Memberships.AnyAsync(m => m.OrgId == org.Id && m.UserId != user.Id && m.Role == Role.Owner, cancellationToken)) return;
        membership.Role = role;
    }

    private static async Task<Organisation?> OrgAsync(FlapjackDb db, ExternalToken token, CancellationToken cancellationToken)
    {
        if ((OrgName(token) ?? token.Issuer.DefaultOrg) is not { } named) return null;
        var isId = Guid.TryParseExact(named, "D", out var id);
        return await db.Organisations.FirstOrDefaultAsync(o => o.DeletedAt == null && (isId ? o.Id == id : o.Slug == named), cancellationToken);
    }

    private static string? OrgName(ExternalToken token) => token.Issuer.OrgClaim is { } claim ? token.Text(claim) : null;

    // Of several roles the strongest counts.
    private static Role? MappedRole(ExternalToken token) =>
        token.Issuer.RoleClaim is { } claim ? ClaimPath.Texts(token.Claims, claim).Select(text => RoleText.Parse(text.ToLowerInvariant())).Max() : null;

    private void AddIdentity(FlapjackDb db, ExternalToken token, Guid userId) =>
        db.ExternalIdentities.Add(new ExternalIdentity { Issuer = token.Issuer.Issuer, Subject = token.Subject, UserId = userId, CreatedAt = time.Now() });

    private void AddMembership(FlapjackDb db, Guid orgId, Guid userId, Role role) =>
        db.Memberships.Add(new Membership { OrgId = orgId, UserId = userId, Role = role, CreatedAt = time.Now() });

    private static ApiException Refused(string detail) => ApiException.Forbidden(detail);
}
