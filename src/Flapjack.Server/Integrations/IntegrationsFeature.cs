using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Integrations.Tools;

namespace Flapjack.Server.Integrations;

internal static class IntegrationsFeature
{
    public static IServiceCollection AddIntegrations(this IServiceCollection services) => services
        .AddSingleton<DatabaseLimits>()
        .AddSingleton<DatabasePools>()
        .AddSingleton<DatabaseInspection>()
        .AddSingleton<TableQueries>()
        .AddSingleton<IntegrationEditor>()
        .AddScoped<IntegrationChange>()
        .AddScoped<IAgentDependant, AgentIntegrationRemoval>()
        .AddSingleton<IEquipmentSource, DatabaseEquipment>()
        .AddSingleton<IToolSource, DatabaseTools>();

    public static void MapIntegrations(this IEndpointRouteBuilder app)
    {
        IntegrationEndpoints.Map(app);
        AgentIntegrationEndpoints.Map(app);
    }
}
