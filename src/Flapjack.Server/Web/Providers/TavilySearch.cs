using System.Text.Json.Nodes;
using Flapjack.Server.Models;

namespace Flapjack.Server.Web.Providers;

/// <summary>Tavily's Search API: https://docs.tavily.com/documentation/api-reference/endpoint/search.</summary>
internal sealed class TavilySearch(ProviderCalls calls) : ISearchProvider
{
    private const int MaxExcluded = 150;

    public string Name => "tavily";

    public bool IsReady(ProviderAccess access) => access.ApiKey is not null;

    public async Task<IReadOnlyList<WebResult>> SearchAsync(ProviderAccess access, WebQuery query, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["query"] = query.Text, ["max_results"] = query.MaxResults, ["search_depth"] = "basic" };
        if (query.Recency is { } recency) body["time_range"] = recency;
        if (query.Rules.Allowed.Count > 0) body["include_domains"] = List(query.Rules.Allowed);
        if (query.Rules.Blocked.Count > 0) body["exclude_domains"] = List(query.Rules.Blocked.Take(MaxExcluded));
        var answer = await calls.PostAsync(new(access, "https://api.tavily.com", "/search", "Authorization"), body, cancellationToken);
        return [.. WebResult.Items(answer, "results").Select(item => WebResult.Of(item, "title", "content", "published_date")).OfType<WebResult>()];
    }

    private static JsonArray List(IEnumerable<string> domains) => new([.. domains.Select(domain => (JsonNode)domain)]);
}
