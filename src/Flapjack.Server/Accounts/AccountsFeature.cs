using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Accounts;

internal static class AccountsFeature
{
    public static IServiceCollection AddAccounts(this IServiceCollection services) => services
        .AddSingleton<OpaqueTokens>()
        .AddSingleton<Passwords>()
        .AddSingleton<LoginFailures>()
        .AddSingleton<SigningKeys>()
        .AddSingleton<AccessTokens>()
        .AddSingleton<SigningSecrets>()
        .AddSingleton<ICredentialReader, AccountTokenReader>()
        .AddSingleton<IHousekeepingTask, SessionSweep>()
        .AddScoped<Logins>()
        .AddScoped<Sessions>()
        .AddScoped<CallerProfile>();

    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        AuthEndpoints.Map(app);
        SigningSecretEndpoints.Map(app);
    }
}
