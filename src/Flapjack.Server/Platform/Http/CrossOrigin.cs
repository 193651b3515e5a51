using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Http;

/// <summary>Lets browsers of the configured origins call the API, and those of any origin the public chat and avatars.</summary>
/// <remarks>Credentials travel in the Authorization header, never in cookies, so no answer allows credentials.</remarks>
internal sealed class CrossOrigin(RequestDelegate next, ServerSettings settings)
{
    private const string AllowedHeaders = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Flapjack-Org, X-Flapjack-Session, X-Request-Id";
    private const string AllowedMethods = "GET, POST, PUT, PATCH, DELETE";
    private const string ExposedHeaders = "X-Request-Id, X-Total-Count, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, Idempotency-Replayed, Location, Server-Version, X-Flapjack-Compat";
    private readonly HashSet<string> _origins = settings.CorsOrigins.Select(o => o.TrimEnd('/')).ToHashSet(StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || !path.StartsWithSegments("/api", StringComparison.Ordinal)) return next(context);
        var headers = context.Response.Headers;
        headers.Append("Vary", "Origin");
        if (!IsForEveryone(path) && !_origins.Contains("*") && !_origins.Contains(origin)) return next(context);

        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlExposeHeaders = ExposedHeaders;
        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0) return next(context);

        headers.AccessControlAllowMethods = AllowedMethods;
        headers.AccessControlAllowHeaders = AllowedHeaders;
        headers.AccessControlMaxAge = "600";
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private static bool IsForEveryone(PathString path) =>
        path.StartsWithSegments("/api/public", StringComparison.Ordinal) || path.StartsWithSegments("/api/marketplace/avatars", StringComparison.Ordinal);
}
