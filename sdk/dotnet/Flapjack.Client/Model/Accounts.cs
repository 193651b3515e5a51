namespace Flapjack.Client;

/// <summary>A session: what a client needs to call and to go on.</summary>
public sealed record Session
{
    /// <summary>JWT for <c>Authorization: Bearer</c>.</summary>
    public required string AccessToken { get; init; }

    /// <summary>Always <c>Bearer</c>.</summary>
    public string? TokenType { get; init; }

    /// <summary>Seconds the access token is valid for.</summary>
    public required int ExpiresIn { get; init; }

    /// <summary>Buys the next access token, once. Reuse ends the session.</summary>
    public required string RefreshToken { get; init; }

    /// <summary>Who logged in.</summary>
    public required User User { get; init; }

    /// <summary>Org.</summary>
    public SessionOrg? Org { get; init; }
}

/// <summary>An organisation and the caller's role in it.</summary>
public sealed record SessionOrg
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }

    /// <summary>Unique on the server.</summary>
    public required string Slug { get; init; }

    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>; null for API keys.</summary>
    public string? Role { get; init; }
}

/// <summary>A person with an account.</summary>
public sealed record User
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>Lower case.</summary>
    public required string Email { get; init; }

    /// <summary>Name shown to others.</summary>
    public string? Name { get; init; }

    /// <summary>Creation time.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Opens an account. What it needs depends on <c>Auth:SignupMode</c>.</summary>
public sealed record SignupRequest : FlapjackRequest
{
    /// <summary>E-mail of the new account, at most 320 characters. Required; 409 when it is taken.</summary>
    public string? Email { get; init; }

    /// <summary>10 to 200 characters. Required.</summary>
    public string? Password { get; init; }

    /// <summary>At most 200 characters.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the organisation that the account gets in mode <c>open</c>, at most 200 characters. With an invite there is no such organisation.</summary>
    public string? OrgName { get; init; }

    /// <summary>Token of an invite; required in mode <c>invite</c>. 422 when it is unknown, used, expired or for another address.</summary>
    public string? InviteToken { get; init; }
}

/// <summary>Logs in with <c>email</c> and <c>password</c>, or with <c>oneTimeToken</c>.</summary>
public sealed record LoginRequest : FlapjackRequest
{
    /// <summary>E-mail of the account, in any case.</summary>
    public string? Email { get; init; }

    /// <summary>Password of the account.</summary>
    public string? Password { get; init; }

    /// <summary>The token of a login link; single use.</summary>
    public string? OneTimeToken { get; init; }
}

/// <summary>Ends sessions.</summary>
public sealed record LogoutRequest : FlapjackRequest
{
    /// <summary>True = every session of the user; default false = this one.</summary>
    public bool? Everywhere { get; init; }
}

/// <summary>Who the credential of a request belongs to.</summary>
public sealed record Me
{
    /// <summary><c>user</c> or <c>key</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>User.</summary>
    public User? User { get; init; }

    /// <summary>Organisations the caller reaches.</summary>
    public required IReadOnlyList<MeOrg> Orgs { get; init; }

    /// <summary>Key.</summary>
    public MeKey? Key { get; init; }
}

/// <summary>An organisation of the caller.</summary>
public sealed record MeOrg
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }

    /// <summary>Unique on the server.</summary>
    public required string Slug { get; init; }

    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>; null for API keys.</summary>
    public string? Role { get; init; }

    /// <summary>True for the organisation requests act in when they name none.</summary>
    public required bool IsDefault { get; init; }
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
    public IReadOnlyList<string>? Scopes { get; init; }
}

/// <summary>Changes one's own account. Only fields that are sent change.</summary>
public sealed record MeChanges : FlapjackRequest
{
    /// <summary>At most 200 characters; null clears it.</summary>
    public string? Name { get; init; }

    /// <summary>One of the user's organisations.</summary>
    public Guid? DefaultOrgId { get; init; }

    /// <summary>The new password, 10 to 200 characters. Ends all other sessions.</summary>
    public string? Password { get; init; }

    /// <summary>The password so far; required with <c>password</c> unless the account has none yet.</summary>
    public string? CurrentPassword { get; init; }
}
