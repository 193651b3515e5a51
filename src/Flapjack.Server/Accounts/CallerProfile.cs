using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts;

/// <summary>What a caller may know and change of itself.</summary>
internal sealed class CallerProfile(FlapjackDb db, CallerContext access, Logins logins, Passwords passwords, Sessions sessions)
{
    private static readonly Guid DemoOrg = new("00000000-0000-0000-0000-00000000d3a0");
    private static readonly Guid DemoKeyId = new("00000000-0000-0000-0000-00000000de30");

    /// <summary>What the demo key is told.</summary>
    public static readonly MeResponse Demo = new()
    {
        Kind = "key",
        User = null,
        Orgs = [new MeOrg { Id = DemoOrg, Name = "Demo", Slug = "demo", Role = null, IsDefault = true }],
        Key = new MeKey { Id = DemoKeyId, Prefix = ApiKeyFormat.Prefix(ApiKeyFormat.DemoKey), Name = "Demo key", Scopes = null },
    };

    public async Task<MeResponse> ReadAsync(CancellationToken cancellationToken) => access.Caller switch
    {
        { UserId: { } userId } => await ReadUserAsync(userId, cancellationToken),
        { KeyId: { } keyId } => await ReadKeyAsync(keyId, cancellationToken),
        _ => throw new InvalidOperationException("The caller is neither a user nor a key."),
    };

    /// <summary>Changes the fields that were sent. 1 check the fields, 2 the organisation, 3 the current password; 4 store all of it together.</summary>
    public async Task ChangeAsync(MePatch patch, string address, CancellationToken cancellationToken)
    {
        var user = await db.Users.FirstAsync(u => u.Id == access.Caller.UserId, cancellationToken);
        var session = patch.Password.Value is null ? null : await db.Sessions.FirstOrDefaultAsync(s => s.Id == access.Caller.SessionId, cancellationToken);
        var mustProve = patch.Password.Value is not null && user.PasswordHash is not null && session is not { OpenedByLink: true };
        var orgId = Check(patch, mustProve);
        if (orgId is { } org && !access.Caller.Roles.ContainsKey(org)) throw ApiException.NotFound("Organisation");
        if (mustProve) await logins.VerifyAsync(user, user.Email, patch.CurrentPassword.Value!, address, cancellationToken);
        if (patch.Name.IsSet) user.Name = string.IsNullOrWhiteSpace(patch.Name.Value) ? null : patch.Name.Value.Trim();
        user.DefaultOrgId = orgId ?? user.DefaultOrgId;
        if (patch.Password.Value is not { } password)
        {
            await db.SaveChangesAsync(cancellationToken);
            return;
        }
        user.PasswordHash = passwords.Hash(password);
        if (session is not null) session.OpenedByLink = false;
        var kept = access.Caller.SessionId;
        await sessions.EndAsync(s => s.UserId == user.Id && s.Id != kept, cancellationToken);
    }

    private static Guid? Check(MePatch patch, bool mustProve)
    {
        var errors = new FieldErrors();
        errors.Text("name", patch.Name.Value, 200);
        if (patch.DefaultOrgId is { IsSet: true, Value: null }) errors.Add("defaultOrgId", "must not be null");
        var orgId = errors.Id("defaultOrgId", patch.DefaultOrgId.Value);
        if (patch.Password.IsSet && (patch.Password.Value is not { } password || !Passwords.IsLongEnough(password))) errors.Add("password", Passwords.LengthRule);
        if (mustProve && patch.CurrentPassword.Value is null) errors.Add("currentPassword", "is required with password");
        errors.ThrowIfAny();
        return orgId;
    }

    private async Task<MeResponse> ReadUserAsync(Guid userId, CancellationToken cancellationToken)
    {
        var user = await db.Users.FirstAsync(u => u.Id == userId, cancellationToken);
        var orgs = await db.OrgsOfAsync(userId, cancellationToken);
        var defaultOrg = orgs.Exists(o => o.Id == user.DefaultOrgId) ? user.DefaultOrgId : access.Caller.OrgId;
        return new() { Kind = "user", User = UserResponse.From(user), Orgs = [.. orgs.Select(o => MeOrg.From(o, defaultOrg))], Key = null };
    }

    private async Task<MeResponse> ReadKeyAsync(Guid keyId, CancellationToken cancellationToken)
    {
        var key = await db.ApiKeys.Where(k => k.Id == keyId).Select(k => new { k.Prefix, k.Name, k.Scopes }).FirstAsync(cancellationToken);
        var org = await db.Organisations.FirstAsync(o => o.Id == access.OrgId, cancellationToken);
        return new()
        {
            Kind = "key",
            User = null,
            Orgs = [new MeOrg { Id = org.Id, Name = org.Name, Slug = org.Slug, Role = null, IsDefault = true }],
            Key = new MeKey { Id = keyId, Prefix = key.Prefix, Name = key.Name, Scopes = key.Scopes?.Split(' ', StringSplitOptions.RemoveEmptyEntries) },
        };
    }
}
