using Microsoft.AspNetCore.Routing.Patterns;

namespace Flapjack.Server.Platform.Http;

/// <summary>Routing ignores case, the contract does not: a path whose fixed parts are spelled differently is unknown.</summary>
internal static class ExactPaths
{
    public static Task Middleware(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is RouteEndpoint endpoint && !Matches(endpoint.RoutePattern, context.Request.Path.Value)) context.SetEndpoint(null);
        return next(context);
    }

    private static bool Matches(RoutePattern pattern, string? path)
    {
        var rest = path.AsSpan().TrimStart('/');
        foreach (var segment in pattern.PathSegments)
        {
            var end = rest.IndexOf('/');
            var part = end < 0 ? rest : rest[..end];
            if (segment is { IsSimple: true } && segment.Parts[0] is RoutePatternLiteralPart literal && !part.SequenceEqual(literal.Content)) return false;
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return true;
    }
}
