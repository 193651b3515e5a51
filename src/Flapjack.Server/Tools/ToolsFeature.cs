using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Tools;

internal static class ToolsFeature
{
    public static IServiceCollection AddTools(this IServiceCollection services) => services
        .AddSingleton<WebhookCall>()
        .AddSingleton<ToolEditor>()
        .AddSingleton<ToolTrial>()
        .AddSingleton<IToolSource, AttachedTools>()
        .AddSingleton<IEquipmentSource, ToolEquipment>()
        .AddScoped<IAgentDependant, AgentToolRemoval>();

    public static void MapTools(this IEndpointRouteBuilder app)
    {
        ToolEndpoints.Map(app);
        AgentToolEndpoints.Map(app);
    }
}
