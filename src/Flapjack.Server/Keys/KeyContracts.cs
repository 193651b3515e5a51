using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Keys;

/// <summary>Creates an API key.</summary>
public sealed record KeyRequest
{
    /// <summary>1 to 100 characters after trimming. Required.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>What the key may do, such as <c>threads:write</c>; null = everything. A <c>write</c> includes its <c>read</c>.</summary>
    public Optional<string?[]> Scopes { get; init; }
    /// <summary>ISO 8601 time in the future at which the key stops working; null = never.</summary>
    public Optional<string> ExpiresAt { get; init; }
    /// <summary>Organisation for users of several; default: the one acted in.</summary>
    public Optional<string> OrgId { get; init; }

    /// <summary>The name without blanks around it; a missing one has an error code of its own.</summary>
    internal string RequireName(FieldErrors errors)
    {
        var name = Name.Value?.Trim();
        if (string.IsNullOrEmpty(name)) throw new ApiException(400, "MISSING_NAME", "name: is required");
        errors.Text("name", name, 100);
        return name;
    }

    /// <summary>The scopes as stored.</summary>
    internal string? ReadScopes(FieldErrors errors)
    {
        if (Scopes.Value is not { } scopes) return null;
        for (var i = 0; i < scopes.Length; i++)
        {
            if (scopes[i] is not { } scope || !Platform.Identity.Scopes.Known.Contains(scope)) errors.Add($"scopes[{i}]", $"must be one of {string.Join(", ", Platform.Identity.Scopes.Known)}");
        }
        return string.Join(' ', scopes.Distinct(StringComparer.Ordinal));
    }

    internal DateTime? ReadExpiry(FieldErrors errors, DateTime now)
    {
        if (ExpiresAt.Value is not { } text) return null;
        if (!WireTime.TryParse(text, out var time)) errors.Add("expiresAt", "is not an ISO 8601 time");
        else if (time <= now) errors.Add("expiresAt", "must be in the future");
        return time;
    }
}

/// <summary>An API key without its secret part.</summary>
public record KeyResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>The first 12 characters of the key and <c>...</c>.</summary>
    public required string Prefix { get; init; }
    /// <summary>Name given at creation.</summary>
    public required string Name { get; init; }
    /// <summary>Creation time.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>What the key may do; null = everything.</summary>
    public required string[]? Scopes { get; init; }
    /// <summary>When the key stops working; null = never.</summary>
    public required DateTime? ExpiresAt { get; init; }
    /// <summary>User who created it; null for keys of the server's own setup.</summary>
    public required Guid? CreatedBy { get; init; }
}

/// <summary>An API key in a list.</summary>
public sealed record KeyListItem : KeyResponse
{
    /// <summary>Last use, to the minute; null = never used.</summary>
    [JsonPropertyOrder(1)]
    public required DateTime? LastUsedAt { get; init; }

    internal static KeyListItem From(ApiKey key) => new()
    {
        Id = key.Id, Prefix = key.Prefix, Name = key.Name, CreatedAt = key.CreatedAt, Scopes = key.ScopeList, ExpiresAt = key.ExpiresAt, CreatedBy = key.CreatedBy, LastUsedAt = key.LastUsedAt,
    };
}

/// <summary>A new API key. This answer is the only one that holds the key itself.</summary>
public sealed record NewKeyResponse : KeyResponse
{
    /// <summary>The key: <c>fj_live_</c> and 64 hex characters. Store it now.</summary>
    [JsonPropertyOrder(1)]
    public required string Key { get; init; }

    internal static NewKeyResponse From(ApiKey key, string text) => new()
    {
        Id = key.Id, Key = text, Prefix = key.Prefix, Name = key.Name, CreatedAt = key.CreatedAt, Scopes = key.ScopeList, ExpiresAt = key.ExpiresAt, CreatedBy = key.CreatedBy,
    };
}
