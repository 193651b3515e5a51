using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Mcp.Authorization;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Mcp.Registry;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Mcp;

internal static class McpFeature
{
    public static IServiceCollection AddMcp(this IServiceCollection services) => services
        .AddScoped<McpEditor>()
        .AddScoped<McpCreation>()
        .AddScoped<McpRemoval>()
        .AddScoped<IAgentDependant>(provider => provider.GetRequiredService<McpRemoval>())
        .AddSingleton<IOrgDependant, OrgConnectionsEnd>()
        .AddConnections()
        .AddAuthorisation()
        .AddSingleton<ServerTools>()
        .AddSingleton<ToolCalls>()
        .AddSingleton<McpToolSource>()
        .AddSingleton<IToolSource>(provider => provider.GetRequiredService<McpToolSource>())
        .AddSingleton<IPromptSource>(provider => provider.GetRequiredService<McpToolSource>())
        .AddSingleton<IEquipmentSource, McpEquipment>()
        .AddSingleton<ManagedProviders>()
        .AddSingleton<RegistrySearch>();

    public static void MapMcp(this IEndpointRouteBuilder app)
    {
        McpEndpoints.Map(app);
        AttachmentEndpoints.Map(app);
        OAuthEndpoints.Map(app);
        RegistryEndpoints.Map(app);
    }

    private static IServiceCollection AddConnections(this IServiceCollection services) => services
        .AddSingleton<ServerPrograms>()
        .AddSingleton<McpConnector>()
        .AddSingleton<McpConnections>();

    private static IServiceCollection AddAuthorisation(this IServiceCollection services) => services
        .AddSingleton<OAuthAddresses>()
        .AddSingleton<OAuthDiscovery>()
        .AddSingleton<OAuthClients>()
        .AddSingleton<TokenEndpoint>()
        .AddSingleton<AccessTokens>()
        .AddSingleton<Reauthorisation>()
        .AddSingleton<AuthorizationReturn>()
        .AddSingleton<Authorizations>()
        .AddSingleton<IHousekeepingTask>(provider => provider.GetRequiredService<Authorizations>());
}
