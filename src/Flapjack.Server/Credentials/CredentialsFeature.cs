using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Credentials;

internal static class CredentialsFeature
{
    public static IServiceCollection AddCredentials(this IServiceCollection services) => services
        .AddSingleton<RememberedKeys>()
        .AddSingleton<ResolverCall>()
        .AddSingleton<CredentialResolver>()
        .AddSingleton<IAgentKeys>(provider => provider.GetRequiredService<CredentialResolver>());

    public static void MapCredentials(this IEndpointRouteBuilder app) => CredentialsEndpoints.Map(app);
}
