using System.Globalization;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Keys;

internal static class KeyEndpoints
{
    private const int LiveKeysPerOrg = 200;

    public static void Map(IEndpointRouteBuilder app)
    {
        var keys = app.MapGroup("/api/keys").WithTags("keys").From("doc").UsersOnly(Role.Admin);
        keys.MapGet("", List).WithName("listKeys");
        keys.MapPost("", Create).WithName("createKey");
        keys.MapDelete("/{keyId:guid}", Revoke).WithName("revokeKey");
    }

    /// <summary>Lists the organisation's API keys, newest first, without their secret parts.</summary>
    private static async Task<Ok<KeyListItem[]>> List(HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", 1_000, 1, 1_000), query.Integer("offset", 0, 0, int.MaxValue));
        var keys = db.ApiKeys.AsNoTracking().Where(k => k.RevokedAt == null);
        http.Response.Headers["X-Total-Count"] = (await keys.CountAsync(cancellationToken)).ToString(CultureInfo.InvariantCulture);
        var rows = await keys.OrderByDescending(k => k.CreatedAt).ThenByDescending(k => k.Id).Skip(offset).Take(limit).ToListAsync(cancellationToken);
        return TypedResults.Ok(rows.Select(KeyListItem.From).ToArray());
    }

    /// <summary>Creates an API key and shows it, this once.</summary>
    private static async Task<Created<NewKeyResponse>> Create(JsonBody<KeyRequest> body, FlapjackDb db, CallerContext access, ApiKeyReader keys, TimeProvider time, CancellationToken cancellationToken)
    {
        var (errors, now) = (new FieldErrors(), time.Now());
        var (name, scopes, expires) = (body.Value.RequireName(errors), body.Value.ReadScopes(errors), body.Value.ReadExpiry(errors, now));
        var orgId = errors.Id("orgId", body.Value.OrgId.Value);
        errors.ThrowIfAny();
        access.Choose(orgId);
        if (await db.ApiKeys.CountAsync(k => k.RevokedAt == null && (k.ExpiresAt == null || k.ExpiresAt > now), cancellationToken) >= LiveKeysPerOrg)
            throw ApiException.Conflict($"the organisation has {LiveKeysPerOrg} live keys, which is the limit");
        var text = ApiKeyFormat.NewLiveKey();
        var key = ApiKey.Create(text, keys.HashOf(text), access.OrgId, name, now, access.Caller.UserId, scopes, expires);
        db.ApiKeys.Add(key);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/keys/{key.Id}", NewKeyResponse.From(key, text));
    }

    /// <summary>Revokes an API key. It holds from the next request on, on every node within five seconds, and running streams of the key are cut.</summary>
    private static async Task<Ok<Deleted>> Revoke(Guid keyId, FlapjackDb db, Revocations revocations, TimeProvider time, CancellationToken cancellationToken)
    {
        var key = await db.ApiKeys.FirstOrDefaultAsync(k => k.Id == keyId && k.RevokedAt == null, cancellationToken) ?? throw ApiException.NotFound("Key");
        key.RevokedAt = time.Now();
        await db.SaveChangesAsync(cancellationToken);
        revocations.Revoke(key.Id);
        return TypedResults.Ok(Deleted.Ok);
    }
}
