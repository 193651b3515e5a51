using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Web.Providers;
using Flapjack.Server.Web.Reading;
using Flapjack.Server.Web.Tools;

namespace Flapjack.Server.Web;

internal static class WebFeature
{
    public static IServiceCollection AddWeb(this IServiceCollection services) => services
        .AddSingleton<WebLimits>()
        .AddSingleton<ProviderCalls>()
        // The order in which "auto" looks for one that is set up.
        .AddSingleton<ISearchProvider, PerplexitySearch>()
        .AddSingleton<ISearchProvider, BraveSearch>()
        .AddSingleton<ISearchProvider, TavilySearch>()
        .AddSingleton<ISearchProvider, SearxngSearch>()
        .AddSingleton<FirecrawlReader>()
        .AddSingleton<WebProviders>()
        .AddSingleton<RobotsCache>()
        .AddSingleton<BuiltinReader>()
        .AddSingleton<SiteCrawler>()
        .AddSingleton<WebSearching>()
        .AddSingleton<WebReading>()
        .AddSingleton<ResearchModel>()
        .AddSingleton<WebResearch>()
        .AddSingleton<IToolSource, WebTools>();

    public static void MapWeb(this IEndpointRouteBuilder app) => WebEndpoints.Map(app);
}
