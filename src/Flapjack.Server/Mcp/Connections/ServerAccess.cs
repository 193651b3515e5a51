namespace Flapjack.Server.Mcp.Connections;

/// <summary>How a server is reached. Secrets in it are still encrypted.</summary>
/// <param name="OrgId">Whose server.</param>
/// <param name="Id">Which one.</param>
/// <param name="Revision">A connection made under another revision is not used.</param>
internal sealed record ServerAccess(Guid OrgId, Guid Id, int Revision)
{
    /// <summary>For people.</summary>
    public required string Name { get; init; }

    public required string Transport { get; init; }
    public required Uri? Url { get; init; }
    public required string? Command { get; init; }
    public required IReadOnlyList<string> Args { get; init; }

    /// <summary>See <see cref="McpCredentials"/>.</summary>
    public required string? Credentials { get; init; }

    /// <summary>Tokens are stored that somebody's authorisation brought.</summary>
    public required bool UsesOAuth { get; init; }

    public static ServerAccess Of(McpServer server) => new(server.OrgId, server.Id, server.Revision)
    {
        Name = server.Name,
        Transport = server.Transport,
        Url = server.Url is null ? null : new Uri(server.Url),
        Command = server.Command,
        Args = McpServer.NamesIn(server.Args)!,
        Credentials = server.Credentials,
        UsesOAuth = server.OauthTokens is not null,
    };
}
