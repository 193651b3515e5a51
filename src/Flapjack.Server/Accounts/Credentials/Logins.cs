using Flapjack.Server.Accounts.Organisations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Finds out who wants in. Every refusal is the same 401, whether the account exists or not.</summary>
internal sealed class Logins(FlapjackDb db, Passwords passwords, OpaqueTokens tokens, LoginFailures failures, LoginLinkRights rights, TimeProvider time)
{
    public async Task<User> WithPasswordAsync(string email, string password, string address, CancellationToken cancellationToken)
    {
        email = User.Normalise(email);
        var user = await db.Users.FirstOrDefaultAsync(u => u.Email == email, cancellationToken);
        await VerifyAsync(user, email, password, address, cancellationToken);
        return user!;
    }

    /// <summary>Throws when the password is not the user's. Guessing is limited wherever a password is asked for.</summary>
    public async Task VerifyAsync(User? user, string email, string password, string address, CancellationToken cancellationToken)
    {
        // The count is read inside the turn: of many simultaneous guesses only as many pass as there are turns.
        using var turn = await passwords.EnterAsync(cancellationToken);
        var failedBefore = await failures.ThrowIfTooManyAsync(address, email, cancellationToken);
        if (!turn.Verify(user, password))
        {
            await failures.AddAsync(address, email, cancellationToken);
            throw Refused();
        }
        if (failedBefore) await failures.ForgiveAsync(email, cancellationToken);
    }

    /// <summary>Uses up a login link.</summary>
    public async Task<User> WithLinkAsync(string token, string address, CancellationToken cancellationToken)
    {
        await failures.ThrowIfTooManyAsync(address, null, cancellationToken);
        var hash = tokens.HashOf(token);
        var link = await db.LoginLinks.FirstOrDefaultAsync(l => l.TokenHash == hash, cancellationToken);
        if (link is not null && link.IsOpen(time.Now()) && await IsRightfulAsync(link, cancellationToken) && await TakeAsync(link, cancellationToken))
            return await db.Users.FirstAsync(u => u.Id == link.UserId, cancellationToken);
        await failures.AddAsync(address, null, cancellationToken);
        throw Refused();
    }

    // Since the link was made, its maker may have lost what gave the right to it, or its person gained what it must not open.
    private async ValueTask<bool> IsRightfulAsync(LoginLink link, CancellationToken cancellationToken) =>
        link.CreatedBy is not { } creator || await rights.HoldAsync(creator, link.UserId, cancellationToken);

    private async Task<bool> TakeAsync(LoginLink link, CancellationToken cancellationToken)
    {
        link.UsedAt = time.Now();
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            return false;
        }
    }

    private static ApiException Refused() => new(401, "INVALID_CREDENTIALS", "the credentials are wrong, used or expired");
}
