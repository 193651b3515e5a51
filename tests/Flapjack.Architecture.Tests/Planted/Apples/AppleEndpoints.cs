using Microsoft.AspNetCore.Http;

namespace Flapjack.Architecture.Tests.Planted.Apples;

internal static class AppleEndpoints
{
    // Allowed: an endpoint may know the request.
    public static string Path(HttpContext context) => context.Request.Path;
}
