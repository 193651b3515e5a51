using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Web;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record WebRequest
{
    private static readonly WebConfig Default = new();

    /// <summary>Whether the agent has web tools at all; default false.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>Whether it has <c>web_search</c>; default true.</summary>
    public Optional<bool?> SearchEnabled { get; init; }
    /// <summary>Whether it has <c>web_research</c>; default true.</summary>
    public Optional<bool?> ResearchEnabled { get; init; }
    /// <summary>Whether it has <c>web_read</c>; default true.</summary>
    public Optional<bool?> ReadEnabled { get; init; }
    /// <summary>Whether it has <c>web_crawl</c>; default true.</summary>
    public Optional<bool?> CrawlEnabled { get; init; }
    /// <summary><c>auto</c> (default: the first that is set up), <c>perplexity</c>, <c>brave</c>, <c>tavily</c> or <c>searxng</c>.</summary>
    public Optional<string> SearchProvider { get; init; }
    /// <summary><c>auto</c> (default: Firecrawl where it is set up, else this server), <c>builtin</c> or <c>firecrawl</c>.</summary>
    public Optional<string> ReadProvider { get; init; }
    /// <summary>Domains, with their subdomains, that searches, reads and crawls are limited to; empty = all. At most 200.</summary>
    public Optional<List<string?>> AllowedDomains { get; init; }
    /// <summary>Domains, with their subdomains, that are left out; wins over the allowed ones. At most 200.</summary>
    public Optional<List<string?>> BlockedDomains { get; init; }
    /// <summary>Results of a search, 1 to 20, default 5.</summary>
    public Optional<int?> MaxResults { get; init; }
    /// <summary>Pages of a crawl, 1 to 100, default 10.</summary>
    public Optional<int?> MaxPages { get; init; }
    /// <summary>Characters of a page, 1,000 to 200,000, default 20,000.</summary>
    public Optional<int?> MaxReadChars { get; init; }

    internal WebConfig ApplyTo(WebConfig saved) => saved with
    {
        Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
        SearchEnabled = SearchEnabled.Over(saved.SearchEnabled, Default.SearchEnabled),
        ResearchEnabled = ResearchEnabled.Over(saved.ResearchEnabled, Default.ResearchEnabled),
        ReadEnabled = ReadEnabled.Over(saved.ReadEnabled, Default.ReadEnabled),
        CrawlEnabled = CrawlEnabled.Over(saved.CrawlEnabled, Default.CrawlEnabled),
        SearchProvider = SearchProvider.Over(saved.SearchProvider, Default.SearchProvider),
        ReadProvider = ReadProvider.Over(saved.ReadProvider, Default.ReadProvider),
        AllowedDomains = AllowedDomains.IsSet ? Domains("allowedDomains", AllowedDomains.Value) : saved.AllowedDomains,
        BlockedDomains = BlockedDomains.IsSet ? Domains("blockedDomains", BlockedDomains.Value) : saved.BlockedDomains,
        MaxResults = MaxResults.Over(saved.MaxResults, Default.MaxResults),
        MaxPages = MaxPages.Over(saved.MaxPages, Default.MaxPages),
        MaxReadChars = MaxReadChars.Over(saved.MaxReadChars, Default.MaxReadChars),
    };

    private static IReadOnlyList<string> Domains(string field, List<string?>? sent) =>
        [.. (sent ?? []).Select((domain, i) => domain ?? throw ApiException.BadRequest($"{field}[{i}]: must be a string")).Select(domain => DomainRules.Normal(domain) ?? domain).Distinct()];
}

/// <summary>What an agent may do on the web.</summary>
public sealed record WebResponse
{
    /// <summary>Whether the agent has web tools at all.</summary>
    public required bool Enabled { get; init; }
    /// <summary>Whether it has <c>web_search</c>.</summary>
    public required bool SearchEnabled { get; init; }
    /// <summary>Whether it has <c>web_research</c>.</summary>
    public required bool ResearchEnabled { get; init; }
    /// <summary>Whether it has <c>web_read</c>.</summary>
    public required bool ReadEnabled { get; init; }
    /// <summary>Whether it has <c>web_crawl</c>.</summary>
    public required bool CrawlEnabled { get; init; }
    /// <summary>Who is asked.</summary>
    public required string SearchProvider { get; init; }
    /// <summary>Who reads pages.</summary>
    public required string ReadProvider { get; init; }
    /// <summary>Domains the agent is limited to; empty = all.</summary>
    public required IReadOnlyList<string> AllowedDomains { get; init; }
    /// <summary>Domains that are left out.</summary>
    public required IReadOnlyList<string> BlockedDomains { get; init; }
    /// <summary>Results of a search.</summary>
    public required int MaxResults { get; init; }
    /// <summary>Pages of a crawl.</summary>
    public required int MaxPages { get; init; }
    /// <summary>Characters of a page.</summary>
    public required int MaxReadChars { get; init; }
    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    internal static WebResponse From(WebConfig config, DateTime? updatedAt) => new()
    {
        Enabled = config.Enabled,
        SearchEnabled = config.SearchEnabled,
        ResearchEnabled = config.ResearchEnabled,
        ReadEnabled = config.ReadEnabled,
        CrawlEnabled = config.CrawlEnabled,
        SearchProvider = config.SearchProvider,
        ReadProvider = config.ReadProvider,
        AllowedDomains = config.AllowedDomains,
        BlockedDomains = config.BlockedDomains,
        MaxResults = config.MaxResults,
        MaxPages = config.MaxPages,
        MaxReadChars = config.MaxReadChars,
        UpdatedAt = updatedAt,
    };
}
