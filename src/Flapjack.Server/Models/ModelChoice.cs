using Flapjack.Providers;
using Flapjack.Runtime.Models;

namespace Flapjack.Server.Models;

/// <summary>A model id that was resolved for an organisation.</summary>
internal sealed record ModelChoice
{
    /// <summary>The id as requested; messages and traces carry it.</summary>
    public required string Id { get; init; }
    /// <summary>Name of the provider whose credential is used.</summary>
    public required string Provider { get; init; }
    /// <summary>Who makes or serves it.</summary>
    public required string Vendor { get; init; }
    /// <summary>One of <see cref="ProviderKinds"/>.</summary>
    public required string Kind { get; init; }
    /// <summary>The name the provider is sent.</summary>
    public required string ModelName { get; init; }
    /// <summary>Where it is called; null = no credential, so that a turn fails with MODEL_AUTH_FAILED.</summary>
    public required ModelEndpoint? Endpoint { get; init; }
    /// <summary>Where it is called with a key that somebody else brings; null = nowhere. There may be no credential of the platform's.</summary>
    public ModelEndpoint? OpenEndpoint { get; init; }
    /// <summary>Null = unknown; its calls cost null.</summary>
    public required ModelPrice? Price { get; init; }
    public required int? ContextWindow { get; init; }
    public required int? MaxOutputTokens { get; init; }
    public required ModelSupport Supports { get; init; }
    /// <summary>Shortest prompt the vendor caches.</summary>
    public required int? MinCacheTokens { get; init; }
    /// <summary>The address comes from the operator or is the vendor's own, so the network rules do not apply.</summary>
    public required bool IsTrustedAddress { get; init; }
    /// <summary>Whose credential it is, as traces say it.</summary>
    public string CredentialSource { get; init; } = "platform";
}

/// <summary>A model as lists show it.</summary>
internal sealed record ListedModel(ModelChoice Choice, string DisplayName, string? Note);
