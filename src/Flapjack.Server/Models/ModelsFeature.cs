namespace Flapjack.Server.Models;

internal static class ModelsFeature
{
    public static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.AddSingleton<ProviderRoster>();
        services.AddSingleton<EmbeddingModels>();
        services.AddSingleton<ModelClients>();
        services.AddSingleton<ProviderEditor>();
        services.AddSingleton<ProviderTrial>();
        services.AddScoped<ModelDirectory>();
        return services;
    }

    public static void MapModels(this IEndpointRouteBuilder app)
    {
        ModelEndpoints.Map(app);
        ProviderEndpoints.Map(app);
    }
}
