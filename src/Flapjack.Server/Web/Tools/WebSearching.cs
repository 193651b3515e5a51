using Flapjack.Server.Web.Providers;

namespace Flapjack.Server.Web.Tools;

/// <summary><c>web_search</c>.</summary>
internal sealed class WebSearching(WebProviders providers)
{
    /// <summary>What a provider finds, held against the agent's domains.</summary>
    public async Task<IReadOnlyList<WebResult>> SearchAsync(Guid orgId, WebConfig config, string query, int maxResults, string? recency, IReadOnlyList<string> domains, CancellationToken cancellationToken)
    {
        var (provider, access) = await providers.SearchAsync(orgId, config.SearchProvider, cancellationToken);
        // Nothing that is wanted is allowed: nothing to ask for.
        if (DomainRules.Of(config).Within(domains) is not { } rules) return [];
        var found = await provider.SearchAsync(access, new(query, maxResults, recency, rules), cancellationToken);
        return [.. found.Where(result => rules.Allows(new Uri(result.Url))).DistinctBy(result => result.Url).Take(maxResults)];
    }
}
