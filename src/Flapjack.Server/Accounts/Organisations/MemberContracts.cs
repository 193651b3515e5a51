using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Adds somebody who has an account to an organisation.</summary>
public sealed record MemberRequest
{
    /// <summary>E-mail of the account; this or <c>userId</c> is required. 404 when there is none.</summary>
    public Optional<string> Email { get; init; }
    /// <summary>UUID of the account; wins over <c>email</c>.</summary>
    public Optional<string> UserId { get; init; }
    /// <summary><c>viewer</c>, <c>member</c> (default), <c>admin</c> or <c>owner</c>; only owners appoint owners.</summary>
    public Optional<string> Role { get; init; }
}

/// <summary>Changes somebody's role.</summary>
public sealed record MemberPatch
{
    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>. Required.</summary>
    public Optional<string> Role { get; init; }
}

/// <summary>A person in an organisation.</summary>
public sealed record MemberResponse
{
    /// <summary>UUID of the account.</summary>
    public required Guid UserId { get; init; }
    /// <summary>Lower case.</summary>
    public required string Email { get; init; }
    /// <summary>Name shown to others.</summary>
    public required string? Name { get; init; }
    /// <summary><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>.</summary>
    public required string Role { get; init; }
    /// <summary>When the person joined.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>Last request, to the minute; null = never.</summary>
    public required DateTime? LastSeenAt { get; init; }

    internal static MemberResponse From(MemberRow row) => new() { UserId = row.UserId, Email = row.Email, Name = row.Name, Role = RoleText.Of(row.Role), CreatedAt = row.CreatedAt, LastSeenAt = row.LastSeenAt };
}

/// <summary>Asks for a login link.</summary>
public sealed record LoginLinkRequest
{
    /// <summary>Hours the link is valid for, 1 to 168; default 24.</summary>
    public Optional<int?> ExpiresInHours { get; init; }
}

/// <summary>A link that logs its person in, once. It stands in for the mail that would let them set a new password.</summary>
public sealed record LoginLinkResponse
{
    /// <summary>The link. What follows <c>?token=</c> is the <c>oneTimeToken</c> of a login.</summary>
    public required string Url { get; init; }
    /// <summary>When it stops working.</summary>
    public required DateTime ExpiresAt { get; init; }
}
