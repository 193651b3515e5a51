using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Accounts;

internal static class AuthEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var auth = app.MapGroup("/api/auth").WithTags("accounts").From("ext");
        auth.MapPost("/signup", Signup).WithName("signUp").Public();
        auth.MapPost("/login", Login).WithName("login").Public();
        auth.MapPost("/refresh", Refresh).WithName("refreshSession").Public();
        auth.MapPost("/logout", Logout).WithName("logout").UsersOnly().NeedsNoOrg();
        auth.MapGet("/me", Me).WithName("getMe").Access(scope: null).NeedsNoOrg().Demo(_ => TypedResults.Ok(CallerProfile.Demo));
        auth.MapPatch("/me", UpdateMe).WithName("updateMe").UsersOnly().NeedsNoOrg();
        app.MapGet("/.well-known/jwks.json", KeySet).WithTags("accounts").From("ext").WithName("getKeySet").Public();
    }

    /// <summary>Opens an account and a session, as Auth:SignupMode allows: with an organisation of its own, or in the one that invites.</summary>
    private static async Task<Created<SessionResponse>> Signup(JsonBody<SignupRequest> body, HttpContext http, SignUps signUps, FlapjackDb db, CancellationToken cancellationToken)
    {
        var tokens = await signUps.SignUpAsync(body.Value, AddressOf(http), IssuerFor(http), cancellationToken);
        return TypedResults.Created("/api/auth/me", SessionResponse.From(tokens, await db.OrgsOfAsync(tokens.User.Id, cancellationToken)));
    }

    /// <summary>Logs a user in with e-mail and password, or with the token of a login link.</summary>
    private static async Task<Ok<SessionResponse>> Login(JsonBody<LoginRequest> body, HttpContext http, Logins logins, Sessions sessions, FlapjackDb db, CancellationToken cancellationToken)
    {
        var (errors, login) = (new FieldErrors(), body.Value);
        if (login.OneTimeToken.Value is null)
        {
            errors.Required("email", login.Email.Value, 320);
            if (string.IsNullOrEmpty(login.Password.Value)) errors.Add("password", "is required");
        }
        errors.ThrowIfAny();
        var user = login.OneTimeToken.Value is { } token
            ? await logins.WithLinkAsync(token, AddressOf(http), cancellationToken)
            : await logins.WithPasswordAsync(login.Email.Value!, login.Password.Value!, AddressOf(http), cancellationToken);
        var tokens = await sessions.OpenAsync(user, IssuerFor(http), login.OneTimeToken.Value is not null, cancellationToken);
        return TypedResults.Ok(SessionResponse.From(tokens, await db.OrgsOfAsync(user.Id, cancellationToken)));
    }

    /// <summary>Exchanges a refresh token for a new pair of tokens. Using one twice ends its session.</summary>
    private static async Task<Ok<SessionResponse>> Refresh(JsonBody<RefreshRequest> body, HttpContext http, Sessions sessions, FlapjackDb db, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(body.Value.RefreshToken.Value)) throw ApiException.Invalid("refreshToken", "is required");
        var tokens = await sessions.RefreshAsync(body.Value.RefreshToken.Value, IssuerFor(http), cancellationToken);
        return TypedResults.Ok(SessionResponse.From(tokens, await db.OrgsOfAsync(tokens.User.Id, cancellationToken)));
    }

    /// <summary>Ends this session, or every session of the user.</summary>
    private static async Task<Ok<Deleted>> Logout(JsonBody<LogoutRequest> body, CallerContext access, Sessions sessions, CancellationToken cancellationToken)
    {
        var (userId, sessionId) = (access.Caller.UserId, access.Caller.SessionId);
        var everywhere = body.Value.Everywhere.Value ?? false;
        await sessions.EndAsync(s => s.UserId == userId && (everywhere || s.Id == sessionId), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Tells who the credential of this request belongs to.</summary>
    private static async Task<Ok<MeResponse>> Me(CallerProfile profile, CancellationToken cancellationToken) => TypedResults.Ok(await profile.ReadAsync(cancellationToken));

    /// <summary>Changes one's own name, default organisation or password. A new password ends all other sessions.</summary>
    private static async Task<Ok<MeResponse>> UpdateMe(JsonBody<MePatch> body, HttpContext http, CallerProfile profile, CancellationToken cancellationToken)
    {
        await profile.ChangeAsync(body.Value, AddressOf(http), cancellationToken);
        return TypedResults.Ok(await profile.ReadAsync(cancellationToken));
    }

    /// <summary>Gives the public keys that verify access tokens.</summary>
    private static async Task<Ok<KeySetResponse>> KeySet(SigningKeys keys, CancellationToken cancellationToken) =>
        TypedResults.Ok(new KeySetResponse { Keys = [.. (await keys.AllAsync(cancellationToken)).Select(SigningKeys.PublicPart)] });

    private static string AddressOf(HttpContext http) => http.RequestServices.GetRequiredService<ClientAddress>().Of(http);

    private static string IssuerFor(HttpContext http) => PublicAddress.Of(http.Request, http.RequestServices.GetRequiredService<ServerSettings>());
}
