using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Agents;
using Flapjack.Server.Keys;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts;

/// <summary>Fills an empty database with what a person needs to begin: organisation, owner, way in, API key, an agent to talk to.</summary>
/// <remarks>Everything is one transaction. The fixed id of the first signing key lets only one of several starting nodes win; the others find the work done.</remarks>
internal static partial class FirstStart
{
    private const string DefaultEmail = "owner@localhost";

    public static async Task RunAsync(WebApplication app, CancellationToken cancellationToken)
    {
        if (await app.Services.GetRequiredService<IReader>().ReadAsync(FirstStartSql.AnyOrganisation, static row => row.Text(), cancellationToken) is not null) return;
        await using var db = app.Services.GetRequiredService<Databases>().OpenForServer();
        var welcome = Fill(db, app.Services);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear();
            if (await db.SigningKeys.AnyAsync(k => k.Id == SigningKey.FirstId, cancellationToken)) return;
            throw;
        }
        Print(app, welcome);
    }

    private static Welcome Fill(FlapjackDb db, IServiceProvider services)
    {
        var bootstrap = services.GetRequiredService<ServerSettings>().Bootstrap;
        var now = services.GetRequiredService<TimeProvider>().Now();
        var org = new Organisation { Id = Ids.New(), Name = bootstrap.OrgName, Slug = Slug.From(bootstrap.OrgName), CreatedAt = now };
        var owner = new User { Id = Ids.New(), Email = User.Normalise(bootstrap.Email ?? DefaultEmail), DefaultOrgId = org.Id, CreatedAt = now };
        var agent = DemoAgent.Create(org.Id, now);
        var key = bootstrap.ApiKey ?? ApiKeyFormat.NewLiveKey();
        string? loginToken = null;
        if (bootstrap.Password is { } password) owner.PasswordHash = services.GetRequiredService<Passwords>().Hash(password);
        else db.LoginLinks.Add(services.GetRequiredService<OpaqueTokens>().NewLink(owner.Id, now, out loginToken));
        db.Organisations.Add(org);
        db.Users.Add(owner);
        db.Memberships.Add(new Membership { OrgId = org.Id, UserId = owner.Id, Role = Role.Owner, CreatedAt = now });
        db.SigningKeys.Add(services.GetRequiredService<SigningKeys>().CreateFirst());
        db.ApiKeys.Add(ApiKey.Create(key, services.GetRequiredService<ApiKeyReader>().HashOf(key), org.Id, "First key", now, owner.Id));
        db.Agents.Add(agent);
        return new(owner.Email, loginToken, bootstrap.ApiKey is null ? key : null, agent.Id);
    }

    // To the console and not through the logger: a secret printed here must not travel to a log collector.
    private static void Print(WebApplication app, Welcome welcome)
    {
        if (!welcome.HoldsSecret)
        {
            LogReady(app.Logger, welcome.Email);
            return;
        }
        if (ServerAddress.Configured(app.Configuration) is { } address) Write(address);
        else app.Lifetime.ApplicationStarted.Register(() => Write(ServerAddress.Bound(app)));

        void Write(string local)
        {
            var publicAddress = app.Services.GetRequiredService<ServerSettings>().PublicUrl?.ToString().TrimEnd('/');
            Console.Out.Write(welcome.Text(publicAddress ?? local, local));
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Flapjack is set up for {Email}, with the password and the API key of the Bootstrap settings")]
    private static partial void LogReady(ILogger logger, string email);
}

/// <summary>Asked at every start, so past EF Core, which takes a quarter of a second to wake up.</summary>
internal static class FirstStartSql
{
    public static readonly SqlStatement AnyOrganisation = new("SELECT slug FROM organisations LIMIT 1", []);
}
