using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Operations;

internal static class OperationsEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var operations = app.MapGroup("").WithTags("operations").From("ext").Public().Uncounted();
        operations.MapGet("/healthz", Health).WithName("health");
        operations.MapGet("/readyz", Ready).WithName("readiness").Produces<ReadinessResponse>(200).Produces<ReadinessResponse>(503);
        operations.MapGet("/metrics", Metrics).WithName("metrics").Produces<string>(200, "text/plain");
        operations.MapGet("/api/version", Version).WithName("version");
    }

    /// <summary>Says that the process lives.</summary>
    private static Ok<HealthResponse> Health() => TypedResults.Ok(new HealthResponse("ok"));

    /// <summary>Says whether this node can serve; 503 names what fails, or that the node is stopping.</summary>
    private static async Task<JsonHttpResult<ReadinessResponse>> Ready(HttpContext http, Readiness readiness, CancellationToken cancellationToken)
    {
        http.Response.Headers.CacheControl = "no-store";
        var answer = await readiness.CheckAsync(cancellationToken);
        if (answer.Error is not null) http.Response.Headers.RetryAfter = "2";
        return TypedResults.Json(answer, statusCode: answer.Error is null ? 200 : 503);
    }

    /// <summary>Numbers for Prometheus. With Metrics:Token set it is required; else only this machine and Metrics:AllowedNetworks may read.</summary>
    private static ContentHttpResult Metrics(HttpContext http, MetricsAccess access, MetricStore store)
    {
        var headers = http.Request.Headers;
        access.Check(headers.Authorization.ToString(), http.Connection.RemoteIpAddress, headers.ContainsKey("X-Forwarded-For") || headers.ContainsKey("Forwarded"));
        return TypedResults.Text(PrometheusText.Write(store), PrometheusText.ContentType);
    }

    /// <summary>Names the server, its version and what this installation offers.</summary>
    private static Ok<VersionResponse> Version(ServerSettings settings) => TypedResults.Ok(new VersionResponse
    {
        Name = "flapjack-compatible-server",
        Version = RequestIds.Version,
        Compat = RequestIds.Compat,
        Features = new() { Signup = settings.Auth.SignupMode, Demo = settings.Demo.Enabled, Computer = false, StdioMcp = settings.Mcp.Stdio, Embeddings = settings.Knowledge.Embedding is not null, Oidc = [.. settings.Auth.Issuers.Select(i => i.Issuer)] },
    });
}
