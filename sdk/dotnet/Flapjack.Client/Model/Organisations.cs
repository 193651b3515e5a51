namespace Flapjack.Client;

/// <summary>An organisation as one of its people, or one of its keys, sees it.</summary>
public sealed record Org
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }

    /// <summary>Unique on the server.</summary>
    public required string Slug { get; init; }

    /// <summary>The caller's role: <c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>; null for API keys.</summary>
    public string? Role { get; init; }

    /// <summary>How many people belong to it.</summary>
    public required int MemberCount { get; init; }

    /// <summary>Creation time.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Creates an organisation, or changes the fields that are sent.</summary>
public sealed record OrgRequest : FlapjackRequest
{
    /// <summary>1 to 200 characters. Required on creation.</summary>
    public string? Name { get; init; }

    /// <summary>1 to 60 of <c>a-z</c>, <c>0-9</c> and single hyphens inside; unique on the server (409). Absent on creation = made of the name.</summary>
    public string? Slug { get; init; }
}

/// <summary>A person in an organisation.</summary>
public sealed record Member
{
    /// <summary>UUID of the account.</summary>
    public required Guid UserId { get; init; }

    /// <summary>Lower case.</summary>
    public required string Email { get; init; }

    /// <summary>Name shown to others.</summary>
    public string? Name { get; init; }

    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>.</summary>
    public required string Role { get; init; }

    /// <summary>When the person joined.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last request, to the minute; null = never.</summary>
    public DateTimeOffset? LastSeenAt { get; init; }
}

/// <summary>Adds somebody who has an account to an organisation.</summary>
public sealed record MemberRequest : FlapjackRequest
{
    /// <summary>E-mail of the account; this or <c>userId</c> is required. 404 when there is none.</summary>
    public string? Email { get; init; }

    /// <summary>UUID of the account; wins over <c>email</c>.</summary>
    public string? UserId { get; init; }

    /// <summary><c>viewer</c>, <c>member</c> (default), <c>admin</c> or <c>owner</c>; only owners appoint owners.</summary>
    public string? Role { get; init; }
}

/// <summary>Changes somebody's role.</summary>
public sealed record MemberChanges : FlapjackRequest
{
    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>. Required.</summary>
    public string? Role { get; init; }
}

/// <summary>An invite that was not used yet.</summary>
public sealed record Invite
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The only address it works for; null = any.</summary>
    public string? Email { get; init; }

    /// <summary>Role of whoever accepts it.</summary>
    public required string Role { get; init; }

    /// <summary>UUID of the user who made it.</summary>
    public Guid? CreatedBy { get; init; }

    /// <summary>When it stops working.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Creation time.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Invites somebody who has no account yet.</summary>
public sealed record InviteRequest : FlapjackRequest
{
    /// <summary>The only address the invite works for; null or absent = whoever holds the token.</summary>
    public string? Email { get; init; }

    /// <summary><c>viewer</c>, <c>member</c> (default), <c>admin</c> or <c>owner</c>; only owners appoint owners.</summary>
    public string? Role { get; init; }

    /// <summary>Hours the invite is valid for, 1 to 720; default 168.</summary>
    public int? ExpiresInHours { get; init; }
}

/// <summary>A new invite. This answer is the only one that holds its token.</summary>
public sealed record NewInvite
{
    /// <summary>The <c>inviteToken</c> of a sign-up.</summary>
    public required string Token { get; init; }

    /// <summary>The token as a link for people.</summary>
    public required string Url { get; init; }

    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The only address it works for; null = any.</summary>
    public string? Email { get; init; }

    /// <summary>Role of whoever accepts it.</summary>
    public required string Role { get; init; }

    /// <summary>UUID of the user who made it.</summary>
    public Guid? CreatedBy { get; init; }

    /// <summary>When it stops working.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Creation time.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Asks for a login link.</summary>
public sealed record LoginLinkRequest : FlapjackRequest
{
    /// <summary>Hours the link is valid for, 1 to 168; default 24.</summary>
    public int? ExpiresInHours { get; init; }
}

/// <summary>A link that logs its person in, once. It stands in for the mail that would let them set a new password.</summary>
public sealed record LoginLink
{
    /// <summary>The link. What follows <c>?token=</c> is the <c>oneTimeToken</c> of a login.</summary>
    public required string Url { get; init; }

    /// <summary>When it stops working.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A signing secret without its value.</summary>
public sealed record SigningSecret
{
    /// <summary>Always true: without a secret of the organisation the server's own signs.</summary>
    public bool? HasSecret { get; init; }

    /// <summary><c>org</c> = its own, <c>server</c> = the server's.</summary>
    public required string Source { get; init; }

    /// <summary>The first characters, at most nine.</summary>
    public required string Prefix { get; init; }

    /// <summary>Time of the last rotation; null = never.</summary>
    public required DateTimeOffset RotatedAt { get; init; }
}

/// <summary>Replaces a signing secret.</summary>
public sealed record SigningSecretRequest : FlapjackRequest
{
    /// <summary>Own value of 24 to 200 characters; absent or null = a random one.</summary>
    public string? Secret { get; init; }
}

/// <summary>A new signing secret. This answer is the only one that holds it.</summary>
public sealed record NewSigningSecret
{
    /// <summary>The secret. Store it where signatures are checked.</summary>
    public required string Secret { get; init; }

    /// <summary>When it began to sign.</summary>
    public required DateTimeOffset RotatedAt { get; init; }
}
