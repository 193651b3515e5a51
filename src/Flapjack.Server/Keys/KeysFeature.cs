using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Keys;

internal static class KeysFeature
{
    public static IServiceCollection AddKeys(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeyReader>();
        services.AddSingleton<ICredentialReader>(provider => provider.GetRequiredService<ApiKeyReader>());
        services.AddSingleton<IOrgDependant, KeyRevocation>();
        return services;
    }

    public static void MapKeys(this IEndpointRouteBuilder app) => KeyEndpoints.Map(app);
}
