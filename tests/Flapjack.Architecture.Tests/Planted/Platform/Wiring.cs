using Flapjack.Architecture.Tests.Planted.Platform.Http;
using Microsoft.AspNetCore.Builder;

namespace Flapjack.Architecture.Tests.Planted.Platform;

/// <summary>Allowed: it hands the middleware on and never sees a request.</summary>
internal static class Wiring
{
    public static void UsePassing(IApplicationBuilder app) => app.Use(Passing.Middleware);
}
