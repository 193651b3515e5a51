using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Memory.Collecting;
using Flapjack.Server.Memory.Recall;
using Flapjack.Server.Memory.Tools;
using Flapjack.Server.Threads;

namespace Flapjack.Server.Memory;

internal static class MemoryFeature
{
    public static IServiceCollection AddMemory(this IServiceCollection services) => services
        .AddSingleton<MemoryNumbers>()
        .AddSingleton<MemoryEmbedding>()
        .AddSingleton<MemoryRecall>()
        .AddSingleton<MemoryStore>()
        .AddScoped<IAgentDependant, MemoryRemoval>()
        .AddScoped<IThreadDependant, MemoryRemoval>()
        .AddSingleton<IToolSource, MemoryTools>()
        .AddSingleton<IPromptSource, MemoryPrompt>()
        .AddSingleton<MemoryExtraction>()
        .AddSingleton<MemoryCollector>()
        .AddSingleton<ITurnFollowUp>(provider => provider.GetRequiredService<MemoryCollector>())
        .AddHostedService(provider => provider.GetRequiredService<MemoryCollector>());

    public static void MapMemory(this IEndpointRouteBuilder app)
    {
        MemoryConfigEndpoints.Map(app);
        MemoryEndpoints.Map(app);
    }
}
