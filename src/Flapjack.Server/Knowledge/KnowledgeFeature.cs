using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Knowledge.Intake;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Knowledge.Turns;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Knowledge;

internal static class KnowledgeFeature
{
    public static IServiceCollection AddKnowledge(this IServiceCollection services)
    {
        services.AddExtraction();
        services.AddSingleton<PageFetch>();
        services.AddSingleton<DocumentRows>();
        services.AddSingleton<DocumentErasure>();
        services.AddSingleton<IntakeContext>();
        services.AddSingleton<DocumentIntake>();
        services.AddScoped<DocumentUpload>();
        services.AddScoped<DocumentTexts>();
        services.AddScoped<DocumentEditor>();
        services.AddScoped<ScopeAccess>();
        services.AddScoped<KnowledgeRemoval>();
        services.AddScoped<IAgentDependant>(provider => provider.GetRequiredService<KnowledgeRemoval>());
        services.AddSingleton<IOrgDependant, OrgKnowledgeEnd>();
        services.AddSingleton<IndexQueue>();
        services.AddSingleton<IndexingContext>();
        services.AddSingleton<DocumentIndexer>();
        services.AddHostedService<IndexingService>();
        services.AddHostedService<ModelChange>();
        services.AddSingleton<IHousekeepingTask, KnowledgeUpkeep>();
        services.AddSingleton<ScopeIndexes>();
        services.AddSingleton<KnowledgeSearch>();
        services.AddScoped<SearchTargets>();
        services.AddScoped<KnowledgeAnswers>();
        services.AddSingleton<TurnSources>();
        services.AddSingleton<IToolSource, KnowledgeTools>();
        services.AddSingleton<IPromptSource, KnowledgePrompt>();
        services.AddSingleton<IEquipmentSource, DocumentEquipment>();
        return services;
    }

    public static void MapKnowledge(this IEndpointRouteBuilder app)
    {
        DocumentEndpoints.Map(app);
        SearchEndpoints.Map(app);
        KnowledgeConfigEndpoints.Map(app);
    }
}
