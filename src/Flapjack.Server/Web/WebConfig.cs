using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Web;

/// <summary>What an agent may do on the web.</summary>
internal sealed record WebConfig : IAgentConfig
{
    public const string Auto = "auto", Builtin = "builtin", Firecrawl = "firecrawl";
    private const int MaxDomains = 200;
    private static readonly string[] SearchProviders = [Auto, "perplexity", "brave", "tavily", "searxng"], ReadProviders = [Auto, Builtin, Firecrawl];

    public static string Name => "web";

    public bool Enabled { get; init; }
    public bool SearchEnabled { get; init; } = true;
    public bool ResearchEnabled { get; init; } = true;
    public bool ReadEnabled { get; init; } = true;
    public bool CrawlEnabled { get; init; } = true;

    /// <summary>Who is asked; <see cref="Auto"/> is the first that is set up.</summary>
    public string SearchProvider { get; init; } = Auto;

    /// <summary>Who reads pages; <see cref="Auto"/> is Firecrawl where it is set up, else this server.</summary>
    public string ReadProvider { get; init; } = Auto;

    /// <summary>Hosts the agent is limited to, subdomains included; empty = all.</summary>
    public IReadOnlyList<string> AllowedDomains { get; init; } = [];

    /// <summary>Hosts the agent never sees; wins over the allowed ones.</summary>
    public IReadOnlyList<string> BlockedDomains { get; init; } = [];

    public int MaxResults { get; init; } = 5;
    public int MaxPages { get; init; } = 10;
    public int MaxReadChars { get; init; } = 20_000;

    /// <summary>Adds a fault for everything the contract does not allow.</summary>
    public void Check(FieldErrors errors)
    {
        errors.OneOf("searchProvider", SearchProvider, SearchProviders);
        errors.OneOf("readProvider", ReadProvider, ReadProviders);
        Check(errors, "allowedDomains", AllowedDomains);
        Check(errors, "blockedDomains", BlockedDomains);
        errors.Range("maxResults", MaxResults, 1, 20);
        errors.Range("maxPages", MaxPages, 1, 100);
        errors.Range("maxReadChars", MaxReadChars, 1_000, 200_000);
    }

    /// <summary>The config with every value in its range. What came with a message was not checked when it was sent.</summary>
    public WebConfig Bounded() => this with
    {
        SearchProvider = SearchProviders.Contains(SearchProvider) ? SearchProvider : Auto,
        ReadProvider = ReadProviders.Contains(ReadProvider) ? ReadProvider : Auto,
        AllowedDomains = Usable(AllowedDomains),
        BlockedDomains = Usable(BlockedDomains),
        MaxResults = Math.Clamp(MaxResults, 1, 20),
        MaxPages = Math.Clamp(MaxPages, 1, 100),
        MaxReadChars = Math.Clamp(MaxReadChars, 1_000, 200_000),
    };

    private static void Check(FieldErrors errors, string field, IReadOnlyList<string> domains)
    {
        if (domains.Count > MaxDomains) errors.Add(field, $"has more than {MaxDomains} entries");
        for (var i = 0; i < Math.Min(domains.Count, MaxDomains); i++)
        {
            if (DomainRules.Normal(domains[i]) is null) errors.Add($"{field}[{i}]", "must be a domain such as example.com");
        }
    }

    // A name that cannot be read must not open what the list was meant to close, so it stays in the list and fits nothing.
    private static IReadOnlyList<string> Usable(IReadOnlyList<string?>? domains) => domains is null ? [] : [.. domains.Take(MaxDomains).Select(d => d is null ? "" : DomainRules.Normal(d) ?? "")];
}
