using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

internal static class InviteEndpoints
{
    private const int LongestHours = 720;

    public static void Map(IEndpointRouteBuilder app)
    {
        var invites = app.MapGroup("/api/orgs/{orgId:guid}/invites").WithTags("accounts").From("ext").UsersOnly(Role.Admin);
        invites.MapGet("", List).WithName("listInvites");
        invites.MapPost("", Create).WithName("createInvite");
        invites.MapDelete("/{inviteId:guid}", Delete).WithName("deleteInvite");
    }

    /// <summary>Lists the invites that can still be used, newest first, without their tokens.</summary>
    private static async Task<Ok<List<InviteResponse>>> List(HttpContext http, FlapjackDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var rows = await Open(db, time).OrderByDescending(i => i.CreatedAt).ThenByDescending(i => i.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(InviteResponse.From));
    }

    /// <summary>Invites somebody without an account and shows token and link, this once.</summary>
    private static async Task<Created<NewInviteResponse>> Create(Guid orgId, JsonBody<InviteRequest> body, HttpRequest http, FlapjackDb db, CallerContext access, OpaqueTokens tokens, ServerSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var (errors, request) = (new FieldErrors(), body.Value);
        errors.Text("email", request.Email.Value, 320, min: 1);
        if (!string.IsNullOrWhiteSpace(request.Email.Value) && !User.IsAddress(request.Email.Value.Trim())) errors.Add("email", "is not an e-mail address");
        errors.Range("expiresInHours", request.ExpiresInHours.Value, 1, LongestHours);
        var role = errors.RoleIn("role", request.Role.Value) ?? Role.Member;
        errors.ThrowIfAny();
        if (role == Role.Owner && access.Role != Role.Owner) throw ApiException.Forbidden("requires role: owner, to appoint owners");

        var (token, now) = (OpaqueTokens.NewLinkToken(), time.Now());
        var invite = new Invite
        {
            Id = Ids.New(), OrgId = orgId, Email = request.Email.Value is { } email ? User.Normalise(email) : null, Role = role, TokenHash = tokens.HashOf(token),
            CreatedBy = access.Caller.UserId, CreatedAt = now, ExpiresAt = now.AddHours(request.ExpiresInHours.Value ?? 168),
        };
        db.Invites.Add(invite);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created((string?)null, NewInviteResponse.From(invite, token, $"{PublicAddress.Of(http, settings)}/signup?invite={token}"));
    }

    /// <summary>Takes an invite back.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid inviteId, FlapjackDb db, TimeProvider time, CancellationToken cancellationToken) =>
        await Open(db, time).Where(i => i.Id == inviteId).ExecuteDeleteAsync(cancellationToken) > 0 ? TypedResults.Ok(Deleted.Ok) : throw ApiException.NotFound("Invite");

    private static IQueryable<Invite> Open(FlapjackDb db, TimeProvider time)
    {
        var now = time.Now();
        return db.Invites.AsNoTracking().Where(i => i.UsedAt == null && i.ExpiresAt > now);
    }
}

/// <summary>Invites somebody who has no account yet.</summary>
public sealed record InviteRequest
{
    /// <summary>The only address the invite works for; null or absent = whoever holds the token.</summary>
    public Optional<string> Email { get; init; }
    /// <summary><c>viewer</c>, <c>member</c> (default), <c>admin</c> or <c>owner</c>; only owners appoint owners.</summary>
    public Optional<string> Role { get; init; }
    /// <summary>Hours the invite is valid for, 1 to 720; default 168.</summary>
    public Optional<int?> ExpiresInHours { get; init; }
}

/// <summary>An invite that was not used yet.</summary>
public record InviteResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>The only address it works for; null = any.</summary>
    public required string? Email { get; init; }
    /// <summary>Role of whoever accepts it.</summary>
    public required string Role { get; init; }
    /// <summary>UUID of the user who made it.</summary>
    public required Guid? CreatedBy { get; init; }
    /// <summary>When it stops working.</summary>
    public required DateTime ExpiresAt { get; init; }
    /// <summary>Creation time.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static InviteResponse From(Invite invite) => new() { Id = invite.Id, Email = invite.Email, Role = RoleText.Of(invite.Role), CreatedBy = invite.CreatedBy, ExpiresAt = invite.ExpiresAt, CreatedAt = invite.CreatedAt };
}

/// <summary>A new invite. This answer is the only one that holds its token.</summary>
public sealed record NewInviteResponse : InviteResponse
{
    /// <summary>The <c>inviteToken</c> of a sign-up.</summary>
    public required string Token { get; init; }
    /// <summary>The token as a link for people.</summary>
    public required string Url { get; init; }

    internal static NewInviteResponse From(Invite invite, string token, string url) => new()
    {
        Id = invite.Id, Email = invite.Email, Role = RoleText.Of(invite.Role), CreatedBy = invite.CreatedBy, ExpiresAt = invite.ExpiresAt, CreatedAt = invite.CreatedAt, Token = token, Url = url,
    };
}
