using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Mcp.Registry;

/// <summary>Well-known servers that are connected with a click: those that register clients by themselves, and those for which the operator has set client credentials.</summary>
internal sealed class ManagedProviders(ServerSettings settings)
{
    private static readonly McpProvider[] Known =
    [
        new("atlassian", "Atlassian", "Jira issues and Confluence pages", McpTransports.Sse, new("https://mcp.atlassian.com/v1/sse")) { RegistersClients = true },
        new("github", "GitHub", "Repositories, issues and pull requests", McpTransports.StreamableHttp, new("https://api.githubcopilot.com/mcp/"))
        {
            AuthorizeUrl = new("https://github.com/login/oauth/authorize"), TokenUrl = new("https://github.com/login/oauth/access_token"), Scopes = ["repo", "read:user"],
        },
        new("linear", "Linear", "Issues and projects", McpTransports.StreamableHttp, new("https://mcp.linear.app/mcp")) { RegistersClients = true },
        new("notion", "Notion", "Pages and databases", McpTransports.StreamableHttp, new("https://mcp.notion.com/mcp")) { RegistersClients = true },
        new("sentry", "Sentry", "Errors and traces", McpTransports.StreamableHttp, new("https://mcp.sentry.dev/mcp")) { RegistersClients = true },
        new("stripe", "Stripe", "Customers, payments and invoices", McpTransports.StreamableHttp, new("https://mcp.stripe.com/")) { RegistersClients = true },
    ];

    /// <summary>By id. What the operator sets stands above what is known.</summary>
    public IReadOnlyList<McpProvider> All { get; } = [.. Merge(settings.Mcp.Providers).Where(p => p.RegistersClients || p.ClientId is not null).OrderBy(p => p.Id, StringComparer.Ordinal)];

    public McpProvider? Find(string? id) => All.FirstOrDefault(p => p.Id == id);

    private static IEnumerable<McpProvider> Merge(IReadOnlyList<McpProviderSettings> set)
    {
        foreach (var known in Known) yield return set.FirstOrDefault(s => s.Id == known.Id) is { } own ? Over(known, own) : known;
        foreach (var own in set.Where(s => s.Url is not null && Known.All(known => known.Id != s.Id)))
            yield return Over(new(own.Id, own.Id, "", McpTransports.StreamableHttp, own.Url!), own) with { RegistersClients = own.ClientId is null };
    }

    private static McpProvider Over(McpProvider known, McpProviderSettings own) => known with
    {
        Name = own.Name ?? known.Name,
        Description = own.Description ?? known.Description,
        Transport = own.Transport ?? known.Transport,
        Url = own.Url ?? known.Url,
        AuthorizeUrl = own.AuthorizeUrl ?? known.AuthorizeUrl,
        TokenUrl = own.TokenUrl ?? known.TokenUrl,
        Scopes = own.Scopes.Count > 0 ? own.Scopes : known.Scopes,
        ClientId = own.ClientId,
        ClientSecret = own.ClientSecret,
    };
}

/// <summary>A server that is offered to be connected.</summary>
internal sealed record McpProvider(string Id, string Name, string Description, string Transport, Uri Url)
{
    /// <summary>Null where the server says it.</summary>
    public Uri? AuthorizeUrl { get; init; }

    public Uri? TokenUrl { get; init; }
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Its authorisation server takes clients that introduce themselves.</summary>
    public bool RegistersClients { get; init; }

    public string? ClientId { get; init; }
    public string? ClientSecret { get; init; }

    /// <summary>Whether a server is reached as this provider is. One that is not gets nothing that is the provider's or the operator's.</summary>
    public bool Is(McpServer server) => server.Transport == Transport && Uri.TryCreate(server.Url, UriKind.Absolute, out var url) && url.AbsoluteUri == Url.AbsoluteUri;

    /// <summary>A record's own text would print the secret.</summary>
    public override string ToString() => Id;
}
