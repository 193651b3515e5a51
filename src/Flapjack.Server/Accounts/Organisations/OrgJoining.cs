using System.Security.Cryptography;
using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>How people come to an organisation: they found one, or an invite lets them in. Everything joins the unit of work; the caller saves.</summary>
internal sealed class OrgJoining(FlapjackDb db, OpaqueTokens tokens, TimeProvider time)
{
    public DateTime Now { get; } = time.Now();

    /// <summary>The open invite behind a token, if it is for this address; null otherwise.</summary>
    public async Task<Invite?> FindInviteAsync(string token, string email, CancellationToken cancellationToken)
    {
        var hash = tokens.HashOf(token);
        // Whoever holds the token belongs to no organisation yet.
        var invite = await db.Invites.IgnoreQueryFilters().FirstOrDefaultAsync(i => i.TokenHash == hash, cancellationToken);
        return invite?.IsFor(email, Now) == true ? invite : null;
    }

    /// <summary>Uses an invite up for its person.</summary>
    public void Accept(Invite invite, User user)
    {
        invite.UsedAt = Now;
        db.Memberships.Add(new Membership { OrgId = invite.OrgId, UserId = user.Id, Role = invite.Role, CreatedAt = Now });
    }

    /// <summary>A new organisation with its owner. Without a slug it gets a free one made of its name.</summary>
    public async Task<Organisation> FoundAsync(Guid orgId, Guid ownerId, string name, string? slug, CancellationToken cancellationToken)
    {
        var org = new Organisation { Id = orgId, Name = name, Slug = slug ?? await FreeSlugAsync(name, cancellationToken), CreatedAt = Now };
        db.Organisations.Add(org);
        db.Memberships.Add(new Membership { OrgId = orgId, UserId = ownerId, Role = Role.Owner, CreatedAt = Now });
        return org;
    }

    private async Task<string> FreeSlugAsync(string name, CancellationToken cancellationToken)
    {
        var slug = Slug.From(name);
        return await db.Organisations.AnyAsync(o => o.Slug == slug, cancellationToken) ? $"{Slug.From(slug[..Math.Min(slug.Length, 50)])}-{RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz23456789", 6)}" : slug;
    }
}
