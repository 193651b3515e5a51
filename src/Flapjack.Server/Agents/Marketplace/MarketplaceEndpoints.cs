using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Agents.Marketplace;

internal static class MarketplaceEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var profile = app.MapGroup("/api/agents/{agentId:guid}/marketplace").WithTags("agents").From("doc");
        profile.MapGet("", Get).WithName("getMarketplaceProfile").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(DemoProfile));
        profile.MapPut("", Merge).WithName("updateMarketplaceProfile").Access(Scopes.AgentsWrite, Role.Member);
        profile.MapDelete("", Delete).WithName("deleteMarketplaceProfile").Access(Scopes.AgentsWrite, Role.Member);
        profile.MapPost("/avatar", SetAvatar).WithName("setMarketplaceAvatar").Access(Scopes.AgentsWrite, Role.Member).WithMetadata(new BodyLimit(MarketplaceAvatars.MaxBytes + FormBody<AvatarRequest>.Overhead));
        app.MapGet("/api/marketplace/avatars/{avatarId:guid}", GetAvatar).WithName("getMarketplaceAvatar").WithTags("marketplace").From("ext").Public().Produces(200, null, "image/png", "image/jpeg", "image/webp", "image/gif");
    }

    /// <summary>Reads the marketplace profile of an agent, with its readiness as it is now. 404 when none was saved.</summary>
    private static async Task<Ok<MarketplaceProfileResponse>> Get(Guid agentId, HttpRequest request, FlapjackDb db, MarketplaceProfiles profiles, ServerSettings settings, CancellationToken cancellationToken) =>
        TypedResults.Ok(Shown(await profiles.ReadAsync(db, agentId, cancellationToken), request, settings));

    /// <summary>Changes the fields of the profile that are sent; the first time it is made.</summary>
    private static async Task<Ok<MarketplaceProfileResponse>> Merge(Guid agentId, JsonBody<MarketplaceProfileRequest> body, HttpRequest request, FlapjackDb db, MarketplaceProfiles profiles, ServerSettings settings, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        body.Value.Check();
        return TypedResults.Ok(Shown(await profiles.MergeAsync(agent, body.Value, cancellationToken), request, settings));
    }

    /// <summary>Deletes the profile and its picture. The handle is free again.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid agentId, FlapjackDb db, CancellationToken cancellationToken)
    {
        await MarketplaceProfiles.DeleteAsync(db, agentId, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Gives the profile a picture in place of the one it had. 404 when the agent has no profile yet.</summary>
    private static async Task<Ok<AvatarResponse>> SetAvatar(Guid agentId, FormBody<AvatarRequest> form, HttpRequest request, FlapjackDb db, MarketplaceAvatars avatars, ServerSettings settings, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        if (!await db.MarketplaceProfiles.AnyAsync(p => p.AgentId == agentId, cancellationToken)) throw MarketplaceProfiles.NotFound();
        var (content, header) = await MarketplaceAvatars.ReceiveAsync(form, cancellationToken);
        return TypedResults.Ok(new AvatarResponse(AddressOf(await avatars.StoreAsync(agent, content, header, cancellationToken), request, settings)));
    }

    /// <summary>Shows a picture to anybody. An address never shows another one, so it may be kept for a year.</summary>
    private static async Task<FileContentHttpResult> GetAvatar(Guid avatarId, HttpResponse response, MarketplaceAvatars avatars, CancellationToken cancellationToken)
    {
        var avatar = await avatars.FindAsync(avatarId, cancellationToken);
        // Content of strangers: no browser may take it for anything but a picture.
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return TypedResults.Bytes(avatar.Content, avatar.MediaType, entityTag: new EntityTagHeaderValue($"\"{avatar.Sha256}\""));
    }

    private static MarketplaceProfileResponse Shown(ShownProfile shown, HttpRequest request, ServerSettings settings) =>
        MarketplaceProfileResponse.From(shown, shown.AvatarId is { } id ? AddressOf(id, request, settings) : null);

    private static string AddressOf(Guid avatarId, HttpRequest request, ServerSettings settings) => $"{PublicAddress.Of(request, settings)}/api/marketplace/avatars/{avatarId}";

    private static MarketplaceProfileResponse DemoProfile
    {
        get
        {
            var created = new DateTime(2026, 4, 1, 12, 0, 0, DateTimeKind.Utc);
            var agent = new Agent { Id = DemoWorld.AgentId, OrgId = DemoWorld.OrgId, Name = DemoWorld.AgentName, Description = "Shows what an agent looks like", StablePreamble = "You are a friendly demo agent.", DefaultModel = "flapjack-offline", CreatedAt = created, UpdatedAt = created };
            var profile = new MarketplaceProfile { AgentId = agent.Id, OrgId = agent.OrgId, Handle = "demo-agent", CreatedAt = created, UpdatedAt = created };
            return MarketplaceProfileResponse.From(new(profile, agent, null, Readiness.Of(agent, profile, new(false, false, false, HasTraffic: true))), null);
        }
    }
}
