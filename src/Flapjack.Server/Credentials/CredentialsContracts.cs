using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Credentials;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record CredentialsRequest
{
    private static readonly CredentialsConfig Default = new();

    /// <summary>Whether the resolver is asked before each model request; default false.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>http or https address that is asked. Required while enabled.</summary>
    public Optional<string> ResolverUrl { get; init; }
    /// <summary>100 to 30,000, default 5,000.</summary>
    public Optional<int?> TimeoutMs { get; init; }
    /// <summary>What happens without a key: <c>platform</c> (default) = the platform's key is used, <c>fail</c> = the turn ends with <c>MODEL_AUTH_FAILED</c>.</summary>
    public Optional<string> OnFailure { get; init; }
    /// <summary>How long a key is remembered for one user, provider and model, 0 (default) to 3,600. In memory only.</summary>
    public Optional<int?> CacheSeconds { get; init; }
    /// <summary>Signing secret of its own, 16 to 200 characters. Write-only; null = the organisation's.</summary>
    public Optional<string> Secret { get; init; }

    /// <summary>The config with what was sent, the secret aside.</summary>
    internal CredentialsConfig ApplyTo(CredentialsConfig saved) => saved with
    {
        Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
        ResolverUrl = ResolverUrl.IsSet ? ResolverUrl.Value?.Trim() : saved.ResolverUrl,
        TimeoutMs = TimeoutMs.Over(saved.TimeoutMs, Default.TimeoutMs),
        OnFailure = OnFailure.Over(saved.OnFailure, Default.OnFailure),
        CacheSeconds = CacheSeconds.Over(saved.CacheSeconds, Default.CacheSeconds),
    };
}

/// <summary>Whom an agent asks for its users' own keys of model providers.</summary>
public sealed record CredentialsResponse
{
    /// <summary>Whether the resolver is asked before each model request.</summary>
    public required bool Enabled { get; init; }
    /// <summary>The address that is asked.</summary>
    public required string? ResolverUrl { get; init; }
    /// <summary>Time limit of a question.</summary>
    public required int TimeoutMs { get; init; }
    /// <summary><c>platform</c> or <c>fail</c>.</summary>
    public required string OnFailure { get; init; }
    /// <summary>How long a key is remembered.</summary>
    public required int CacheSeconds { get; init; }
    /// <summary>Whether it has a signing secret of its own.</summary>
    public required bool HasSecret { get; init; }
    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    internal static CredentialsResponse From(SavedConfig<CredentialsConfig> saved) => new()
    {
        Enabled = saved.Value.Enabled,
        ResolverUrl = saved.Value.ResolverUrl,
        TimeoutMs = saved.Value.TimeoutMs,
        OnFailure = saved.Value.OnFailure,
        CacheSeconds = saved.Value.CacheSeconds,
        HasSecret = saved.Value.Secret is not null,
        UpdatedAt = saved.UpdatedAt,
    };
}
