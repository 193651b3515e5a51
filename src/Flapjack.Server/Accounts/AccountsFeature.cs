using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Accounts.External;
using Flapjack.Server.Accounts.Organisations;
using Flapjack.Server.Accounts.Pages;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Accounts;

internal static class AccountsFeature
{
    public static IServiceCollection AddAccounts(this IServiceCollection services) => services
        .AddSingleton<OpaqueTokens>()
        .Configure<Microsoft.AspNetCore.Identity.PasswordHasherOptions>(options => options.IterationCount = Passwords.Iterations)
        .AddSingleton<Passwords>()
        .AddSingleton<LoginFailures>()
        .AddSingleton<SigningKeys>()
        .AddSingleton<AccessTokens>()
        .AddSingleton<SigningSecrets>()
        .AddSingleton<SessionCallers>()
        .AddSingleton<TrustedIssuers>()
        .AddSingleton<Admission>()
        .AddSingleton<ICredentialReader, ExternalTokenReader>()
        .AddSingleton<ICredentialReader, AccountTokenReader>()
        .AddSingleton<IHousekeepingTask, SessionSweep>()
        .AddSingleton<IHousekeepingTask, ClosedOrgSweep>()
        .AddSingleton<OrgErasure>()
        .AddScoped<OrgJoining>()
        .AddScoped<OrgClosing>()
        .AddScoped<MembershipChanges>()
        .AddScoped<LoginLinkRights>()
        .AddScoped<SignUps>()
        .AddScoped<Logins>()
        .AddScoped<Sessions>()
        .AddScoped<CallerProfile>();

    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        AuthEndpoints.Map(app);
        OrgEndpoints.Map(app);
        MemberEndpoints.Map(app);
        InviteEndpoints.Map(app);
        SigningSecretEndpoints.Map(app);
        AccountPageEndpoints.Map(app);
    }
}
