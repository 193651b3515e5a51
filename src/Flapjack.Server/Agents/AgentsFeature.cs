namespace Flapjack.Server.Agents;

internal static class AgentsFeature
{
    public static IServiceCollection AddAgents(this IServiceCollection services) => services.AddScoped<AgentRemoval>().AddScoped<AgentEditor>().AddScoped<PlainAgents>();

    public static void MapAgents(this IEndpointRouteBuilder app) => AgentEndpoints.Map(app);
}
