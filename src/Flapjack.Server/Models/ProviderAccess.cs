using Flapjack.Providers;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Models;

/// <summary>How one organisation reaches a provider: its own settings over the operator's.</summary>
internal sealed record ProviderAccess
{
    public required string Name { get; init; }
    public required string Kind { get; init; }
    public required bool Enabled { get; init; }
    public required string? ApiKey { get; init; }
    public required Uri? BaseUrl { get; init; }
    public required bool IsTrustedAddress { get; init; }
    public required IReadOnlyDictionary<string, string> Headers { get; init; }
    public required IReadOnlyList<ModelEntry> Models { get; init; }

    public bool ServesModels => Kind is ProviderKinds.OpenAI or ProviderKinds.Anthropic || IsCompatible;

    public bool HasModelCredential => Enabled && ServesModels && ApiKey is not null;

    /// <summary>Compatible servers may need no key; the vendors always do.</summary>
    public bool CanCall => Enabled && ServesModels && (IsCompatible ? BaseUrl is not null : ApiKey is not null);

    /// <summary>Whether calls with a key of somebody else's are possible.</summary>
    public bool TakesKeys => Enabled && ServesModels && (!IsCompatible || BaseUrl is not null);

    private bool IsCompatible => Kind is ProviderKinds.OpenAICompatible or ProviderKinds.AnthropicCompatible;

    public static ProviderAccess Of(ServerProvider server) => new()
    {
        Name = server.Name,
        Kind = server.Kind,
        Enabled = true,
        ApiKey = server.ApiKey,
        BaseUrl = server.BaseUrl,
        IsTrustedAddress = true,
        Headers = new Dictionary<string, string>(),
        Models = [.. server.Models.Select(ModelEntry.From)],
    };

    /// <summary>An organisation's row over the operator's provider of the same name. The operator's key never goes to an address the organisation chose.</summary>
    public static ProviderAccess Of(ProviderConfig own, ProviderAccess? server, string? apiKey, IReadOnlyDictionary<string, string> headers)
    {
        var models = ModelEntry.Read(own.Models);
        var shared = own.BaseUrl is null && server?.Kind == own.Kind ? server : null;
        return new()
        {
            Name = own.Provider,
            Kind = own.Kind,
            Enabled = own.Enabled,
            ApiKey = apiKey ?? shared?.ApiKey,
            BaseUrl = own.BaseUrl is { } address ? new Uri(address) : shared?.BaseUrl,
            IsTrustedAddress = own.BaseUrl is null,
            Headers = headers,
            Models = shared is null ? models : [.. models, .. shared.Models.Where(m => models.All(o => o.Id != m.Id))],
        };
    }

    /// <summary>A record's own text would print the key.</summary>
    public override string ToString() => Name;
}
