using Microsoft.AspNetCore.Http;

namespace Flapjack.Architecture.Tests.Planted.Platform.Http;

internal static class Passing
{
    public static Task Middleware(HttpContext context, RequestDelegate next) => next(context);
}
