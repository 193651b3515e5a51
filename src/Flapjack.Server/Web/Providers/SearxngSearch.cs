using Flapjack.Server.Models;

namespace Flapjack.Server.Web.Providers;

/// <summary>A SearXNG instance of one's own, with its JSON format switched on: https://docs.searxng.org/dev/search_api.html.</summary>
internal sealed class SearxngSearch(ProviderCalls calls) : ISearchProvider
{
    private const int LongestQuery = 1_500;

    public string Name => "searxng";

    /// <summary>There is no instance for everybody; a key is needed only where something in front asks for one.</summary>
    public bool IsReady(ProviderAccess access) => access.BaseUrl is not null;

    public async Task<IReadOnlyList<WebResult>> SearchAsync(ProviderAccess access, WebQuery query, CancellationToken cancellationToken)
    {
        var path = $"/search?q={Uri.EscapeDataString(SiteOperators.Add(query.Text, query.Rules, LongestQuery))}&format=json";
        if (query.Recency is { } recency) path += $"&time_range={recency}";
        var answer = await calls.GetAsync(new(access, "", path, "Authorization"), cancellationToken);
        return [.. WebResult.Items(answer, "results").Select(item => WebResult.Of(item, "title", "content", "publishedDate", "pubdate")).OfType<WebResult>()];
    }
}
