namespace Flapjack.Client;

/// <summary>An API key in a list.</summary>
public sealed record ApiKey
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The first 12 characters of the key and <c>...</c>.</summary>
    public required string Prefix { get; init; }

    /// <summary>Name given at creation.</summary>
    public required string Name { get; init; }

    /// <summary>Creation time.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What the key may do; null = everything.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>When the key stops working; null = never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>User who created it; null for keys of the server's own setup.</summary>
    public Guid? CreatedBy { get; init; }

    /// <summary>Last use, to the minute; null = never used.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
}

/// <summary>Creates an API key.</summary>
public sealed record KeyRequest : FlapjackRequest
{
    /// <summary>1 to 100 characters after trimming. Required.</summary>
    public string? Name { get; init; }

    /// <summary>What the key may do, such as <c>threads:write</c>; null = everything. A <c>write</c> includes its <c>read</c>.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>ISO 8601 time in the future at which the key stops working; null = never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Organisation for users of several; default: the one acted in.</summary>
    public Guid? OrgId { get; init; }
}

/// <summary>A new API key. This answer is the only one that holds the key itself.</summary>
public sealed record NewApiKey
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The first 12 characters of the key and <c>...</c>.</summary>
    public required string Prefix { get; init; }

    /// <summary>Name given at creation.</summary>
    public required string Name { get; init; }

    /// <summary>Creation time.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What the key may do; null = everything.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>When the key stops working; null = never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>User who created it; null for keys of the server's own setup.</summary>
    public Guid? CreatedBy { get; init; }

    /// <summary>The key: <c>fj_live_</c> and 64 hex characters. Store it now.</summary>
    public required string Key { get; init; }
}
