using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts;

/// <summary>The command <c>login-link [--email address]</c>: a new login link for the first owner or the user named. Whoever may run the server's program may log in.</summary>
internal static class LoginLinkCommand
{
    public static bool IsMeant(string[] args) => args is ["login-link", ..];

    public static async Task<int> RunAsync(WebApplication app, CancellationToken cancellationToken)
    {
        await using var db = app.Services.GetRequiredService<Databases>().OpenForServer();
        var email = app.Configuration["email"];
        if (await FindAsync(db, email, cancellationToken) is not { } user)
        {
            await Console.Error.WriteLineAsync(email is null ? "There is no owner yet. Start the server once; it creates one." : $"There is no account with the e-mail {email}.");
            return 1;
        }
        db.LoginLinks.Add(app.Services.GetRequiredService<OpaqueTokens>().NewLink(user.Id, app.Services.GetRequiredService<TimeProvider>().Now(), out var token));
        await db.SaveChangesAsync(cancellationToken);
        var address = app.Services.GetRequiredService<ServerSettings>().PublicUrl?.ToString().TrimEnd('/') ?? ServerAddress.Configured(app.Configuration) ?? ServerAddress.Default;
        Console.WriteLine($"Log in as {user.Email} within 24 hours, once: {Welcome.Link(address, token)}");
        return 0;
    }

    private static Task<User?> FindAsync(FlapjackDb db, string? email, CancellationToken cancellationToken)
    {
        if (email is not null) return db.Users.FirstOrDefaultAsync(u => u.Email == User.Normalise(email), cancellationToken);
        return (from membership in db.Memberships
                join user in db.Users on membership.UserId equals user.Id
                where membership.Role == Role.Owner
                orderby membership.CreatedAt, user.Id
                select user).FirstOrDefaultAsync(cancellationToken);
    }
}
