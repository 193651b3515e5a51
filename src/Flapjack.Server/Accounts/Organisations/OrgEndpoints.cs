using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

internal static class OrgEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var orgs = app.MapGroup("/api/orgs").WithTags("accounts").From("ext");
        orgs.MapGet("", List).WithName("listOrgs").Access(scope: null).NeedsNoOrg();
        orgs.MapPost("", Create).WithName("createOrg").UsersOnly().NeedsNoOrg();
        orgs.MapGet("/{orgId:guid}", Get).WithName("getOrg").Access(scope: null);
        orgs.MapPatch("/{orgId:guid}", Update).WithName("updateOrg").UsersOnly(Role.Admin);
        orgs.MapDelete("/{orgId:guid}", Delete).WithName("deleteOrg").UsersOnly(Role.Owner);
    }

    /// <summary>Lists the caller's organisations, newest first; for an API key its one.</summary>
    private static async Task<Ok<List<OrgResponse>>> List(HttpContext http, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var rows = await db.OrgsSeenBy(access.Caller).OrderByDescending(o => o.CreatedAt).ThenByDescending(o => o.Id).WithMemberCount(db).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(o => o.Answer(access.Caller)));
    }

    /// <summary>Founds an organisation. The caller becomes its owner.</summary>
    private static async Task<Created<OrgResponse>> Create(JsonBody<OrgRequest> body, FlapjackDb db, CallerContext access, OrgJoining joining, ServerSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Auth.SignupMode != "open" && !access.Caller.Roles.Values.Contains(Role.Owner)) throw ApiException.Forbidden("only owners of an organisation found further ones on this server");
        var errors = new FieldErrors();
        errors.Required("name", body.Value.Name.Value, 200);
        CheckSlug(errors, body.Value.Slug.Value);
        errors.ThrowIfAny();
        var org = await joining.FoundAsync(Ids.New(), access.Caller.UserId!.Value, body.Value.Name.Value!.Trim(), body.Value.Slug.Value, cancellationToken);
        await SaveAsync(db, org.Slug, org.Id, cancellationToken);
        return TypedResults.Created($"/api/orgs/{org.Id}", new OrgRow(org.Id, org.Name, org.Slug, org.CreatedAt, 1).Answer(Role.Owner));
    }

    /// <summary>Reads one organisation.</summary>
    private static async Task<Ok<OrgResponse>> Get(Guid orgId, FlapjackDb db, CallerContext access, CancellationToken cancellationToken) =>
        TypedResults.Ok((await db.FindOrgAsync(orgId, cancellationToken)).Answer(access.Role));

    /// <summary>Changes name or slug.</summary>
    private static async Task<Ok<OrgResponse>> Update(Guid orgId, JsonBody<OrgRequest> body, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var (errors, change) = (new FieldErrors(), body.Value);
        if (change.Name.IsSet) errors.Required("name", change.Name.Value, 200);
        if (change.Slug is { IsSet: true, Value: null }) errors.Add("slug", "must not be null");
        CheckSlug(errors, change.Slug.Value);
        errors.ThrowIfAny();
        var org = await db.Organisations.FirstAsync(o => o.Id == orgId, cancellationToken);
        org.Name = change.Name.Value?.Trim() ?? org.Name;
        org.Slug = change.Slug.Value ?? org.Slug;
        await SaveAsync(db, org.Slug, org.Id, cancellationToken);
        return TypedResults.Ok((await db.FindOrgAsync(orgId, cancellationToken)).Answer(access.Role));
    }

    /// <summary>Deletes an organisation with everything in it: agents, threads, keys, traces. Its people lose it at once, its running turns are stopped.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid orgId, JsonBody<OrgDeletion> body, HttpRequest request, OrgClosing closing, CancellationToken cancellationToken)
    {
        await closing.CloseAsync(orgId, body.Value.Confirm.Value ?? new Query(request).Text("confirm"), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static void CheckSlug(FieldErrors errors, string? slug)
    {
        if (slug is not null && !Slug.IsValid(slug)) errors.Add("slug", Slug.Rule);
    }

    // The unique index decides between two who want the same slug.
    private static async Task SaveAsync(FlapjackDb db, string slug, Guid orgId, CancellationToken cancellationToken)
    {
        if (await db.Organisations.AnyAsync(o => o.Slug == slug && o.Id != orgId, cancellationToken)) throw SlugTaken();
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear();
            if (await db.Organisations.AnyAsync(o => o.Slug == slug && o.Id != orgId, cancellationToken)) throw SlugTaken();
            throw;
        }
    }

    private static ApiException SlugTaken() => ApiException.Conflict("another organisation has this slug");
}
