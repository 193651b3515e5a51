using Flapjack.Server.Platform.Idempotency;

namespace Flapjack.Server.A2A;

internal static class A2AFeature
{
    public static IServiceCollection AddA2A(this IServiceCollection services) => services
        .AddScoped<A2ATasks>()
        .AddKeyedScoped<IIdempotentReplay, A2AReplay>(A2AReplay.Protocol);

    public static void MapA2A(this IEndpointRouteBuilder app) => A2AEndpoints.Map(app);
}
