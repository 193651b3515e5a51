using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Credentials;

/// <summary>Whom an agent asks for its users' own keys of model providers.</summary>
internal sealed record CredentialsConfig : IAgentConfig
{
    public const string Platform = "platform", Fail = "fail";

    public static string Name => "credentials";

    public bool Enabled { get; init; }

    /// <summary>Endpoint of the application that gives keys.</summary>
    public string? ResolverUrl { get; init; }

    public int TimeoutMs { get; init; } = 5_000;

    /// <summary>What a request without a key does.</summary>
    public string OnFailure { get; init; } = Platform;

    /// <summary>How long a key is remembered, in memory only.</summary>
    public int CacheSeconds { get; init; }

    /// <summary>Encrypted signing secret of its own; null = the organisation's.</summary>
    public string? Secret { get; init; }

    /// <summary>What the secret is bound to.</summary>
    public static string Place(Guid orgId, Guid agentId) => $"{orgId}/agents/{agentId}/credentials_secret";

    /// <summary>Adds a fault for everything the contract does not allow.</summary>
    public void Check(FieldErrors errors)
    {
        errors.Text("resolverUrl", ResolverUrl, 2_000);
        if (Enabled && ResolverUrl is null) errors.Add("resolverUrl", "is required while enabled");
        errors.Range("timeoutMs", TimeoutMs, 100, 30_000);
        errors.OneOf("onFailure", OnFailure, Platform, Fail);
        errors.Range("cacheSeconds", CacheSeconds, 0, 3_600);
    }
}
