using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Models;

namespace Flapjack.Server.Web.Providers;

/// <summary>Perplexity: its Search API for results, its Sonar models for answers. https://docs.perplexity.ai.</summary>
internal sealed class PerplexitySearch(ProviderCalls calls, WebLimits limits) : IAnswerProvider
{
    private const string Home = "https://api.perplexity.ai";
    private const int MaxDomains = 20, LongestAnswer = 50_000;

    public string Name => "perplexity";

    public bool IsReady(ProviderAccess access) => access.ApiKey is not null;

    public bool CanKeepTo(DomainRules rules) =>
        (rules.Allowed.Count == 0 || rules.Blocked.Count == 0) && rules.Allowed.Count + rules.Blocked.Count <= MaxDomains && rules.Allowed.Concat(rules.Blocked).All(domain => domain.Length > 0);

    public async Task<IReadOnlyList<WebResult>> SearchAsync(ProviderAccess access, WebQuery query, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["query"] = query.Text, ["max_results"] = query.MaxResults };
        if (query.Recency is { } recency) body["search_recency_filter"] = recency;
        if (Filter(query.Rules) is { } filter) body["search_domain_filter"] = filter;
        var answer = await calls.PostAsync(new(access, Home, "/search", "Authorization"), body, cancellationToken);
        return [.. WebResult.Items(answer, "results").Select(item => WebResult.Of(item, "title", "snippet", "date", "last_updated")).OfType<WebResult>()];
    }

    public async Task<WebAnswer> AnswerAsync(ProviderAccess access, string question, string depth, DomainRules rules, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = depth == "deep" ? "sonar-pro" : "sonar",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            ["web_search_options"] = new JsonObject { ["search_context_size"] = depth switch { "quick" => "low", "deep" => "high", _ => "medium" } },
        };
        if (Filter(rules) is { } filter) body["search_domain_filter"] = filter;
        var answer = await calls.PostAsync(new(access, Home, "/chat/completions", "Authorization") { Timeout = limits.AnswerTime }, body, cancellationToken);
        var message = WebResult.Items(answer, "choices").Select(choice => choice.TryGetProperty("message", out var said) ? WebResult.Text(said, "content") : null).FirstOrDefault();
        if (string.IsNullOrWhiteSpace(message)) throw new ToolException(ToolErrors.Failed, "perplexity gave no answer");
        return new(message.Length <= LongestAnswer ? message : message[..LongestAnswer], Sources(answer));
    }

    private static List<WebSource> Sources(JsonElement answer)
    {
        var sources = WebResult.Items(answer, "search_results").Select(item => WebResult.Of(item, "title", "snippet")).OfType<WebResult>().Select(result => new WebSource(result.Title, result.Url)).ToList();
        // Older answers carry the addresses alone.
        if (sources.Count == 0 && answer.TryGetProperty("citations", out var citations) && citations.ValueKind == JsonValueKind.Array)
            sources.AddRange(citations.EnumerateArray().Where(c => c.ValueKind == JsonValueKind.String).Select(c => new WebSource("", c.GetString()!)));
        return sources;
    }

    // Domains that are wanted, or those that are not, marked with a hyphen: never both.
    private static JsonArray? Filter(DomainRules rules)
    {
        var domains = (rules.Allowed.Count > 0 ? rules.Allowed : [.. rules.Blocked.Select(domain => "-" + domain)]).Take(MaxDomains).ToList();
        return domains.Count == 0 ? null : new([.. domains.Select(domain => (JsonNode)domain)]);
    }
}
