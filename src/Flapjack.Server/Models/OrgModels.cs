using System.Collections.Concurrent;
using Flapjack.Providers;

namespace Flapjack.Server.Models;

/// <summary>The models one organisation can name, as its providers stood when this was built. Never changes, so what it resolved it remembers, endpoints included.</summary>
internal sealed class OrgModels(IReadOnlyDictionary<string, ProviderAccess> providers)
{
    private const int LongestId = 250;
    private readonly ConcurrentDictionary<string, ModelChoice> _resolved = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, ProviderAccess> Providers => providers;

    public bool HasModelCredential => providers.Values.Any(p => p.HasModelCredential);

    /// <summary>A catalog id, its dated form, or <c>&lt;provider&gt;/&lt;model&gt;</c> of a configured provider; null for anything else.</summary>
    public ModelChoice? Resolve(string id)
    {
        if (_resolved.TryGetValue(id, out var known)) return known;
        if (id.Length is 0 or > LongestId || Find(id) is not { } choice) return null;
        // Any model name of a compatible provider resolves, so users could grow this without end.
        if (_resolved.Count >= 1_000) _resolved.Clear();
        return _resolved.GetOrAdd(id, choice);
    }

    /// <summary>The catalog in its order, then the configured models by id.</summary>
    public IEnumerable<ListedModel> List()
    {
        foreach (var model in ModelCatalog.All)
        {
            var entry = Entry(providers.GetValueOrDefault(model.Vendor), model.Id, model);
            yield return new(Resolve(model.Id)!, entry?.DisplayName ?? model.DisplayName, model.Note);
        }
        var own = from provider in providers.Values
                  where provider.ServesModels
                  from entry in provider.Models
                  where CatalogOf(provider, entry.Id) is null
                  let choice = Resolve($"{provider.Name}/{entry.Id}")
                  where choice is not null
                  orderby choice.Id
                  select new ListedModel(choice, entry.DisplayName ?? entry.Id, null);
        foreach (var model in own) yield return model;
    }

    private ModelChoice? Find(string id)
    {
        if (ModelCatalog.Find(id) is { } model) return Choose(id, id, model, model.Vendor, providers.GetValueOrDefault(model.Vendor));
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == id.Length - 1 || !providers.TryGetValue(id[..slash], out var provider) || !provider.ServesModels) return null;
        var name = id[(slash + 1)..];
        return Choose(id, name, CatalogOf(provider, name), provider.Name, provider);
    }

    private static ModelChoice Choose(string id, string name, CatalogModel? catalog, string providerName, ProviderAccess? provider)
    {
        var entry = Entry(provider, name, catalog);
        var supports = ModelEntry.SupportOf(entry, catalog);
        var limit = entry?.MaxOutputTokens ?? catalog?.MaxOutputTokens;
        var kind = catalog?.Vendor ?? provider!.Kind;
        var endpoint = new ModelEndpoint
        {
            Provider = providerName,
            Kind = kind,
            ModelId = name,
            Id = id,
            ApiKey = provider?.ApiKey,
            BaseUrl = provider?.BaseUrl,
            Headers = provider?.Headers ?? new Dictionary<string, string>(),
            SupportsTemperature = supports.Temperature,
            SupportsThinking = supports.Thinking,
            SupportsCompaction = supports.NativeCompaction,
            SupportsJsonSchema = supports.JsonSchema,
            KeepsReasoning = catalog?.Vendor == ProviderKinds.OpenAI,
            LongContextBeta = catalog?.LongContextBeta ?? false,
            MaxOutputTokens = limit,
        };
        return new()
        {
            Id = id,
            Provider = providerName,
            Vendor = catalog?.Vendor ?? providerName,
            Kind = kind,
            ModelName = name,
            Endpoint = kind == ProviderKinds.Flapjack || provider is { CanCall: true } ? endpoint : null,
            OpenEndpoint = provider?.TakesKeys ?? true ? endpoint : null,
            Price = ModelEntry.PriceOf(entry, catalog),
            ContextWindow = entry?.ContextWindow ?? catalog?.ContextWindow,
            MaxOutputTokens = limit,
            Supports = supports,
            MinCacheTokens = catalog?.MinCacheTokens,
            IsTrustedAddress = provider?.IsTrustedAddress ?? true,
        };
    }

    private static ModelEntry? Entry(ProviderAccess? provider, string name, CatalogModel? catalog) =>
        provider?.Models.FirstOrDefault(m => m.Id == name) ?? (catalog is null ? null : provider?.Models.FirstOrDefault(m => m.Id == catalog.Id));

    private static CatalogModel? CatalogOf(ProviderAccess provider, string name) =>
        ModelCatalog.Find(name) is { } model && model.Vendor == provider.Kind ? model : null;
}
