using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Delegation;

internal static class DelegationFeature
{
    public static IServiceCollection AddDelegation(this IServiceCollection services) => services
        .AddSingleton<DelegatedTurns>()
        .AddScoped<IToolSource, DelegatedTools>()
        .AddScoped<IAgentDependant, DelegatedChanges>();

    public static void MapDelegation(this IEndpointRouteBuilder app) => DelegatedEndpoints.Map(app);
}
