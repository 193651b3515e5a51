using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Web.Reading;

namespace Flapjack.Server.Web.Tools;

/// <summary>Offers the web tools that an agent's config switches on.</summary>
internal sealed class WebTools(AgentConfigs configs, WebSearching searching, WebReading reading, WebResearch research, SiteCrawler crawler) : IToolSource
{
    private const int LongestQuery = 1_000, LongestQuestion = 4_000;

    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request.Version == 0 && !request.Overrides.ContainsKey(WebConfig.Name)) return [];
        var config = (await configs.ForTurnAsync<WebConfig>(request, cancellationToken)).Bounded();
        if (!config.Enabled) return [];
        var tools = new List<TurnTool>(4);
        if (config.SearchEnabled) tools.Add(Search(request.OrgId, config));
        if (config.ResearchEnabled) tools.Add(Research(request, config));
        if (config.ReadEnabled) tools.Add(Read(request.OrgId, config));
        if (config.CrawlEnabled) tools.Add(Crawl(config));
        return tools;
    }

    private TurnTool Search(Guid orgId, WebConfig config) => new WebTool("web_search", "Searches the public web.", WebSchemas.Search(config), async (arguments, stop) =>
    {
        var results = await searching.SearchAsync(orgId, config, arguments.Required("query", LongestQuery), arguments.Number("max_results", config.MaxResults, 20), arguments.Text("recency"), arguments.Words("domains"), stop);
        return new SearchResult([.. results.Select(r => new FoundPage(r.Title, r.Url, r.Snippet, r.PublishedAt))]);
    }).ToTurnTool();

    private TurnTool Research(EquipmentRequest request, WebConfig config) => new WebTool("web_research", "Answers a question from several pages of the public web, with its sources.", WebSchemas.Research, async (arguments, stop) =>
        await research.AnswerAsync(new(request, config, arguments.Required("question", LongestQuestion), arguments.Text("depth") ?? "standard"), ToolContext.Of(arguments), stop)).ToTurnTool();

    private TurnTool Read(Guid orgId, WebConfig config) => new WebTool("web_read", "Reads the main text of one web page.", WebSchemas.Read(config), async (arguments, stop) =>
    {
        var page = await reading.ReadAsync(orgId, config, arguments.Address("url"), arguments.Number("max_chars", config.MaxReadChars, config.MaxReadChars), stop);
        return new ReadResult(page.Address.AbsoluteUri, page.Title, page.Text, page.Truncated);
    }).ToTurnTool();

    private TurnTool Crawl(WebConfig config) => new WebTool("web_crawl", "Reads several pages of one web site, starting at an address and following its links.", WebSchemas.Crawl(config), async (arguments, stop) =>
    {
        var plan = new CrawlPlan(arguments.Number("max_pages", config.MaxPages, config.MaxPages), config.MaxReadChars, arguments.Words("include"), arguments.Words("exclude"), DomainRules.Of(config));
        var site = await crawler.CrawlAsync(arguments.Address("url"), plan, stop);
        return new CrawlResult([.. site.Pages.Select(p => new CrawledPage(p.Address.AbsoluteUri, p.Title, p.Text))], site.Skipped);
    }).ToTurnTool();
}
