using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Accounts.Organisations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts;

/// <summary>Lets new people in, as the operator's sign-up mode says.</summary>
internal sealed class SignUps(FlapjackDb db, OrgJoining joining, Passwords passwords, Sessions sessions, LoginFailures failures, ServerSettings settings)
{
    /// <summary>1 check mode and fields, 2 find the invite or found an organisation, 3 hash the password; 4 store all of it together with the first session.</summary>
    public async Task<SessionTokens> SignUpAsync(SignupRequest request, string address, string issuer, CancellationToken cancellationToken)
    {
        CheckMode(request);
        Check(request);
        await failures.ThrowIfTooManyAsync(address, null, cancellationToken);
        var (email, now) = (User.Normalise(request.Email.Value!), joining.Now);
        var invite = request.InviteToken.Value is { } token ? await joining.FindInviteAsync(token, email, cancellationToken) : null;
        if (request.InviteToken.Value is not null && invite is null) throw await GuessedAsync(ApiException.Invalid("inviteToken", "is unknown, used, expired or for another address"));
        if (await IsTakenAsync(email, cancellationToken)) throw await GuessedAsync(EmailTaken());

        var user = new User { Id = Ids.New(), Email = email, EmailConfirmed = false, Name = Trimmed(request.Name.Value), DefaultOrgId = invite?.OrgId ?? Ids.New(), CreatedAt = now };
        if (invite is not null) joining.Accept(invite, user);
        else await joining.FoundAsync(user.DefaultOrgId, user.Id, Trimmed(request.OrgName.Value) ?? OwnOrgName(user), null, cancellationToken);
        using (await passwords.EnterAsync(cancellationToken)) user.PasswordHash = passwords.Hash(request.Password.Value!);
        db.Users.Add(user);
        try
        {
            return await sessions.OpenAsync(user, issuer, byLink: false, cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            throw ApiException.Invalid("inviteToken", "was used this very moment");
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear();
            if (await IsTakenAsync(email, cancellationToken)) throw EmailTaken();
            throw;
        }

        // Invites and taken addresses are guessed at no more often than passwords.
        async Task<ApiException> GuessedAsync(ApiException refusal)
        {
            await failures.AddAsync(address, null, cancellationToken);
            return refusal;
        }
    }

    private void CheckMode(SignupRequest request)
    {
        if (settings.Auth.SignupMode == "closed") throw Disabled("sign-up is closed on this server");
        if (settings.Auth.SignupMode == "invite" && string.IsNullOrEmpty(request.InviteToken.Value)) throw Disabled("sign-up needs an invite on this server");
    }

    private static void Check(SignupRequest request)
    {
        var errors = new FieldErrors();
        errors.Required("email", request.Email.Value, 320);
        if (!string.IsNullOrWhiteSpace(request.Email.Value) && !User.IsAddress(request.Email.Value.Trim())) errors.Add("email", "is not an e-mail address");
        if (request.Password.Value is not { } password) errors.Add("password", "is required");
        else if (!Passwords.IsLongEnough(password)) errors.Add("password", Passwords.LengthRule);
        errors.Text("name", request.Name.Value, 200);
        errors.Text("orgName", request.OrgName.Value, 200);
        errors.ThrowIfAny();
    }

    private Task<bool> IsTakenAsync(string email, CancellationToken cancellationToken) => db.Users.AnyAsync(u => u.Email == email, cancellationToken);

    private static string OwnOrgName(User user) => user.Name ?? user.Email[..user.Email.IndexOf('@', StringComparison.Ordinal)];

    private static string? Trimmed(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static ApiException EmailTaken() => ApiException.Conflict("an account with this e-mail exists");

    private static ApiException Disabled(string detail) => new(403, "SIGNUP_DISABLED", detail);
}
