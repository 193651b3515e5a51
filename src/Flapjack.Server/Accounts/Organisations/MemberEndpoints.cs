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

internal static class MemberEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var members = app.MapGroup("/api/orgs/{orgId:guid}/members").WithTags("accounts").From("ext");
        members.MapGet("", List).WithName("listMembers").Access(scope: null);
        members.MapPost("", Add).WithName("addMember").UsersOnly(Role.Admin);
        members.MapPatch("/{userId:guid}", Update).WithName("updateMember").UsersOnly(Role.Admin);
        members.MapDelete("/{userId:guid}", Remove).WithName("removeMember").UsersOnly();
        members.MapPost("/{userId:guid}/login-link", CreateLoginLink).WithName("createLoginLink").UsersOnly(Role.Admin);
    }

    /// <summary>Lists the people of an organisation, newest first.</summary>
    private static async Task<Ok<List<MemberResponse>>> List(Guid orgId, HttpContext http, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok((await db.MembersOf(orgId).ToPageAsync(http, cancellationToken)).ConvertAll(MemberResponse.From));

    /// <summary>Adds somebody who has an account. Whoever has none is invited.</summary>
    private static async Task<Created<MemberResponse>> Add(Guid orgId, JsonBody<MemberRequest> body, FlapjackDb db, MembershipChanges changes, CancellationToken cancellationToken)
    {
        var (errors, request) = (new FieldErrors(), body.Value);
        var userId = errors.Id("userId", request.UserId.Value);
        if (userId is null && errors.Count == 0) errors.Required("email", request.Email.Value, 320);
        var role = errors.RoleIn("role", request.Role.Value) ?? Role.Member;
        errors.ThrowIfAny();
        changes.RefuseToAppoint(role);
        var email = userId is null ? User.Normalise(request.Email.Value!) : null;
        var user = await db.Users.AsNoTracking().FirstOrDefaultAsync(u => userId == null ? u.Email == email : u.Id == userId, cancellationToken) ?? throw ApiException.NotFound("User");
        await changes.AddAsync(orgId, user.Id, role, cancellationToken);
        return TypedResults.Created((string?)null, MemberResponse.From(await db.FindMemberAsync(orgId, user.Id, cancellationToken)));
    }

    /// <summary>Gives somebody another role. It holds from their next request on. Only owners appoint and demote owners; the last one stays.</summary>
    private static async Task<Ok<MemberResponse>> Update(Guid orgId, Guid userId, JsonBody<MemberPatch> body, FlapjackDb db, MembershipChanges changes, CancellationToken cancellationToken)
    {
        await db.FindMemberAsync(orgId, userId, cancellationToken);
        var errors = new FieldErrors();
        if (body.Value.Role.Value is null) errors.Add("role", "is required");
        var role = errors.RoleIn("role", body.Value.Role.Value);
        errors.ThrowIfAny();
        await changes.ChangeAsync(orgId, userId, role!.Value, cancellationToken);
        return TypedResults.Ok(MemberResponse.From(await db.FindMemberAsync(orgId, userId, cancellationToken)));
    }

    /// <summary>Removes somebody, or oneself. The account stays, and so does what the person made.</summary>
    private static async Task<Ok<Deleted>> Remove(Guid orgId, Guid userId, CallerContext access, MembershipChanges changes, CancellationToken cancellationToken)
    {
        if (userId != access.Caller.UserId && access.Role < Role.Admin) throw ApiException.Forbidden("requires role: admin");
        await changes.RemoveAsync(orgId, userId, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Makes a link that logs a person in once, without a password.</summary>
    private static async Task<Created<LoginLinkResponse>> CreateLoginLink(Guid orgId, Guid userId, JsonBody<LoginLinkRequest> body, HttpRequest request, FlapjackDb db, CallerContext access, LoginLinkRights rights, OpaqueTokens tokens, ServerSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        await db.FindMemberAsync(orgId, userId, cancellationToken);
        var errors = new FieldErrors();
        errors.Range("expiresInHours", body.Value.ExpiresInHours.Value, 1, 168);
        errors.ThrowIfAny();
        var creator = access.Caller.UserId!.Value;
        if (!await rights.HoldAsync(creator, userId, cancellationToken)) throw ApiException.Forbidden("the person is an owner, or belongs to an organisation that you do not administer");
        var link = tokens.NewLink(userId, time.Now(), out var token, TimeSpan.FromHours(body.Value.ExpiresInHours.Value ?? 24), creator);
        db.LoginLinks.Add(link);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created((string?)null, new LoginLinkResponse { Url = Welcome.Link(PublicAddress.Of(request, settings), token), ExpiresAt = link.ExpiresAt });
    }
}
