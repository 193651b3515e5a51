using Flapjack.Server.Agents.Compaction;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Agents.Marketplace;
using Flapjack.Server.Agents.Multiplayer;
using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Agents.Suggestions;

namespace Flapjack.Server.Agents;

internal static class AgentsFeature
{
    public static IServiceCollection AddAgents(this IServiceCollection services) => services
        .AddScoped<AgentRemoval>()
        .AddScoped<AgentEditor>()
        .AddScoped<PlainAgents>()
        .AddSingleton<AgentConfigs>()
        .AddSingleton<AgentEquipment>()
        .AddSingleton<Publications>()
        .AddSingleton<AgentStandings>()
        .AddSingleton<MarketplaceProfiles>()
        .AddSingleton<MarketplaceAvatars>()
        .AddSingleton<SuggestionStore>()
        .AddSingleton<RunningReviews>()
        .AddSingleton<ReviewCall>()
        .AddScoped<ReviewMaterial>()
        .AddScoped<AgentReview>()
        .AddScoped<IAgentDependant, MarketplaceRemoval>()
        .AddScoped<IAgentDependant, SuggestionRemoval>()
        .AddScoped<IAgentDependant, PublicationRemoval>()
        .AddScoped<IAgentDependant, AgentConfigRemoval>();

    public static void MapAgents(this IEndpointRouteBuilder app)
    {
        AgentEndpoints.Map(app);
        CompactionEndpoints.Map(app);
        MultiplayerEndpoints.Map(app);
        PublishEndpoints.Map(app);
        MarketplaceEndpoints.Map(app);
        SuggestionEndpoints.Map(app);
    }
}
