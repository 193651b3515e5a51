using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp.Authorization;

internal static class OAuthEndpoints
{
    private const string CallbackPath = "/api/mcps/oauth/callback";

    public static void Map(IEndpointRouteBuilder app)
    {
        var oauth = app.MapGroup("/api/mcps/{mcpId:guid}/oauth").WithTags("mcp");
        oauth.MapPost("/start", Start).WithName("startMcpOAuth").From("doc").UsersOnly(McpServer.Editors);
        oauth.MapGet("", Get).WithName("getMcpOAuth").From("ext").UsersOnly();
        oauth.MapDelete("", Delete).WithName("deleteMcpOAuth").From("ext").UsersOnly(McpServer.Editors);
        app.MapGet(CallbackPath, Return).WithName("returnFromMcpOAuth").WithTags("mcp").From("chosen").Public().Produces(302).Produces(200, contentType: "text/html").Produces(400, contentType: "text/html");
    }

    /// <summary>Begins an authorisation: the answer is an address for the user's browser.</summary>
    private static async Task<Ok<OAuthStartResponse>> Start(Guid mcpId, JsonBody<OAuthStartRequest> body, HttpRequest request, FlapjackDb db, CallerContext access, OAuthClients clients, Authorizations authorizations, SecretBox secrets, ServerSettings settings, CancellationToken cancellationToken)
    {
        var server = await db.FindMcpAsync(mcpId, cancellationToken);
        var redirectAfter = Path(body.Value.RedirectAfter.Value);
        if (server.Transport == McpTransports.Stdio) throw ApiException.Conflict("programs are not authorised; give them their credentials as variables");
        var client = await clients.ForAsync(server, body.Value, PublicAddress.Of(request, settings) + CallbackPath, cancellationToken);
        var box = client.Seal(secrets, server.OrgId, server.Id);
        await db.McpServers.Where(s => s.Id == mcpId && s.OauthVersion == server.OauthVersion && s.OauthTokens == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.OauthClient, box), cancellationToken);
        return TypedResults.Ok(new OAuthStartResponse(await authorizations.StartAsync(server, client, access.UserId, redirectAfter, cancellationToken)));
    }

    /// <summary>Says whether a server is authorised, and for what.</summary>
    private static async Task<Ok<OAuthStateResponse>> Get(Guid mcpId, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(OAuthStateResponse.From(await db.FindMcpAsync(mcpId, cancellationToken)));

    /// <summary>Erases a server's tokens.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid mcpId, FlapjackDb db, AuthorizationReturn authorization, Connections.McpConnections connections, CancellationToken cancellationToken)
    {
        await authorization.EraseAsync(await db.FindMcpAsync(mcpId, cancellationToken), cancellationToken);
        connections.Close(mcpId);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Where browsers come back from authorisation servers.</summary>
    private static async Task<IResult> Return(HttpContext http, AuthorizationReturn authorization, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var outcome = await authorization.CompleteAsync(query.Text("state"), query.Text("code"), query.Text("error"), query.Text("iss"), cancellationToken);
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        if (outcome.RedirectAfter is { } target) return TypedResults.LocalRedirect(target);
        http.Response.Headers.ContentSecurityPolicy = ReturnPage.Policy;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return TypedResults.Content(ReturnPage.Html(outcome), "text/html; charset=utf-8", statusCode: outcome.Error is null ? 200 : 400);
    }

    // Browsers read // and /\ as the address of another host.
    private static string? Path(string? path)
    {
        if (path is null) return null;
        var isPath = path.Length <= 2_000 && path.StartsWith('/') && !path.StartsWith("//", StringComparison.Ordinal) && !path.Contains('\\', StringComparison.Ordinal) && !path.Any(char.IsControl);
        return isPath ? path : throw ApiException.Invalid("redirectAfter", "must be a path on this server, such as /settings");
    }
}
