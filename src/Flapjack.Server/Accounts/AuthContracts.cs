using System.Text.Json.Serialization;
using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Accounts.Organisations;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Accounts;

/// <summary>Opens an account. What it needs depends on <c>Auth:SignupMode</c>.</summary>
public sealed record SignupRequest
{
    /// <summary>E-mail of the new account, at most 320 characters. Required; 409 when it is taken.</summary>
    public Optional<string> Email { get; init; }
    /// <summary>10 to 200 characters. Required.</summary>
    public Optional<string> Password { get; init; }
    /// <summary>At most 200 characters.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>Name of the organisation that the account gets in mode <c>open</c>, at most 200 characters. With an invite there is no such organisation.</summary>
    public Optional<string> OrgName { get; init; }
    /// <summary>Token of an invite; required in mode <c>invite</c>. 422 when it is unknown, used, expired or for another address.</summary>
    public Optional<string> InviteToken { get; init; }
}

/// <summary>Logs in with <c>email</c> and <c>password</c>, or with <c>oneTimeToken</c>.</summary>
public sealed record LoginRequest
{
    /// <summary>E-mail of the account, in any case.</summary>
    public Optional<string> Email { get; init; }
    /// <summary>Password of the account.</summary>
    public Optional<string> Password { get; init; }
    /// <summary>The token of a login link; single use.</summary>
    public Optional<string> OneTimeToken { get; init; }
}

/// <summary>Exchanges a refresh token.</summary>
public sealed record RefreshRequest
{
    /// <summary>The refresh token of the newest session answer. Required; single use.</summary>
    public Optional<string> RefreshToken { get; init; }
}

/// <summary>Ends sessions.</summary>
public sealed record LogoutRequest
{
    /// <summary>True = every session of the user; default false = this one.</summary>
    public Optional<bool?> Everywhere { get; init; }
}

/// <summary>Changes one's own account. Only fields that are sent change.</summary>
public sealed record MePatch
{
    /// <summary>At most 200 characters; null clears it.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>One of the user's organisations.</summary>
    public Optional<string> DefaultOrgId { get; init; }
    /// <summary>The new password, 10 to 200 characters. Ends all other sessions.</summary>
    public Optional<string> Password { get; init; }
    /// <summary>The password so far; required with <c>password</c> unless the account has none yet or a login link opened this session.</summary>
    public Optional<string> CurrentPassword { get; init; }
}

/// <summary>A person with an account.</summary>
public sealed record UserResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Lower case.</summary>
    public required string Email { get; init; }
    /// <summary>Name shown to others.</summary>
    public required string? Name { get; init; }
    /// <summary>Creation time.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static UserResponse From(User user) => new() { Id = user.Id, Email = user.Email, Name = user.Name, CreatedAt = user.CreatedAt };
}

/// <summary>An organisation and the caller's role in it.</summary>
public record SessionOrg
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }
    /// <summary>Unique on the server.</summary>
    public required string Slug { get; init; }
    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>; null for API keys.</summary>
    public required string? Role { get; init; }

    internal static SessionOrg From(UserOrg org) => new() { Id = org.Id, Name = org.Name, Slug = org.Slug, Role = RoleText.Of(org.Role) };
}

/// <summary>An organisation of the caller.</summary>
public sealed record MeOrg : SessionOrg
{
    /// <summary>True for the organisation requests act in when they name none.</summary>
    [JsonPropertyOrder(1)]
    public required bool IsDefault { get; init; }

    internal static MeOrg From(UserOrg org, Guid defaultOrgId) => new() { Id = org.Id, Name = org.Name, Slug = org.Slug, Role = RoleText.Of(org.Role), IsDefault = org.Id == defaultOrgId };
}

/// <summary>A session: what a client needs to call and to go on.</summary>
public sealed record SessionResponse
{
    /// <summary>JWT for <c>Authorization: Bearer</c>.</summary>
    public required string AccessToken { get; init; }
    /// <summary>Always <c>Bearer</c>.</summary>
    public string TokenType { get; init; } = "Bearer";
    /// <summary>Seconds the access token is valid for.</summary>
    public required int ExpiresIn { get; init; }
    /// <summary>Buys the next access token, once. Reuse ends the session.</summary>
    public required string RefreshToken { get; init; }
    /// <summary>Who logged in.</summary>
    public required UserResponse User { get; init; }
    /// <summary>The default organisation; null for a user without any.</summary>
    public required SessionOrg? Org { get; init; }

    internal static SessionResponse From(SessionTokens tokens, List<UserOrg> orgs) => new()
    {
        AccessToken = tokens.Access,
        ExpiresIn = (int)tokens.AccessLifetime.TotalSeconds,
        RefreshToken = tokens.Refresh,
        User = UserResponse.From(tokens.User),
        Org = (orgs.Find(o => o.Id == tokens.User.DefaultOrgId) ?? orgs.MinBy(o => o.Id)) is { } org ? SessionOrg.From(org) : null,
    };
}

/// <summary>Who the credential of a request belongs to.</summary>
public sealed record MeResponse
{
    /// <summary><c>user</c> or <c>key</c>.</summary>
    public required string Kind { get; init; }
    /// <summary>The account; null for API keys.</summary>
    public required UserResponse? User { get; init; }
    /// <summary>Organisations the caller reaches.</summary>
    public required IReadOnlyList<MeOrg> Orgs { get; init; }
    /// <summary>The API key; null for users.</summary>
    public required MeKey? Key { get; init; }
}

/// <summary>The API key of the request.</summary>
public sealed record MeKey
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>The first 12 characters and <c>...</c>.</summary>
    public required string Prefix { get; init; }
    /// <summary>Name given at creation.</summary>
    public required string Name { get; init; }
    /// <summary>What the key may do; null = everything.</summary>
    public required string[]? Scopes { get; init; }
}

/// <summary>A JSON Web Key Set (RFC 7517).</summary>
public sealed record KeySetResponse
{
    /// <summary>Keys that verify access tokens.</summary>
    public required IReadOnlyList<VerificationKey> Keys { get; init; }
}

/// <summary>A public key on the curve P-256.</summary>
public sealed record VerificationKey
{
    /// <summary>Key type.</summary>
    public string Kty { get; init; } = "EC";
    /// <summary>What the key is for.</summary>
    public string Use { get; init; } = "sig";
    /// <summary>Algorithm of the signatures.</summary>
    public string Alg { get; init; } = "ES256";
    /// <summary>Curve.</summary>
    public string Crv { get; init; } = "P-256";
    /// <summary>Id that tokens name in their header.</summary>
    public required string Kid { get; init; }
    /// <summary>Coordinate, base64url.</summary>
    public required string X { get; init; }
    /// <summary>Coordinate, base64url.</summary>
    public required string Y { get; init; }
}
