using System.Globalization;
using Flapjack.Server.Models;

namespace Flapjack.Server.Web.Providers;

/// <summary>Brave's Web Search API: https://api-dashboard.search.brave.com/app/documentation/web-search.</summary>
internal sealed class BraveSearch(ProviderCalls calls) : ISearchProvider
{
    private const int LongestQuery = 400;

    public string Name => "brave";

    public bool IsReady(ProviderAccess access) => access.ApiKey is not null;

    public async Task<IReadOnlyList<WebResult>> SearchAsync(ProviderAccess access, WebQuery query, CancellationToken cancellationToken)
    {
        var text = SiteOperators.Add(query.Text, query.Rules, LongestQuery);
        var path = $"/res/v1/web/search?q={Uri.EscapeDataString(text)}&count={query.MaxResults.ToString(CultureInfo.InvariantCulture)}&result_filter=web&text_decorations=false";
        if (query.Recency is { } recency) path += $"&freshness=p{recency[0]}";
        var answer = await calls.GetAsync(new(access, "https://api.search.brave.com", path, "X-Subscription-Token"), cancellationToken);
        return [.. WebResult.Items(answer, "web", "results").Select(item => WebResult.Of(item, "title", "description", "page_age")).OfType<WebResult>()];
    }
}
