namespace Flapjack.Server.Agents;

internal static class AgentsFeature
{
    public static IServiceCollection AddAgents(this IServiceCollection services) => services;

    public static void MapAgents(this IEndpointRouteBuilder app) { }
}
