using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Creates an organisation, or changes the fields that are sent.</summary>
public sealed record OrgRequest
{
    /// <summary>1 to 200 characters. Required on creation.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>1 to 60 of <c>a-z</c>, <c>0-9</c> and single hyphens inside; unique on the server (409). Absent on creation = made of the name.</summary>
    public Optional<string> Slug { get; init; }
}

/// <summary>Deletes an organisation and everything in it.</summary>
public sealed record OrgDeletion
{
    /// <summary>The organisation's slug, as a sign that this one is meant. Required; also accepted in the query.</summary>
    public Optional<string> Confirm { get; init; }
}

/// <summary>An organisation as one of its people, or one of its keys, sees it.</summary>
public sealed record OrgResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }
    /// <summary>Unique on the server.</summary>
    public required string Slug { get; init; }
    /// <summary>The caller's role: <c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>; null for API keys.</summary>
    public required string? Role { get; init; }
    /// <summary>How many people belong to it.</summary>
    public required int MemberCount { get; init; }
    /// <summary>Creation time.</summary>
    public required DateTime CreatedAt { get; init; }
}
