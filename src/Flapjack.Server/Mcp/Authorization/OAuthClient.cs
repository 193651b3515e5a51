using System.Text.Json;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>How this server is known to an authorisation server, and where that one is.</summary>
/// <param name="ClientId">This server's name there.</param>
/// <param name="AuthorizeUrl">Where people say yes.</param>
/// <param name="TokenUrl">Where codes become tokens.</param>
/// <param name="RedirectUri">Where people come back to.</param>
internal sealed record OAuthClient(string ClientId, string AuthorizeUrl, string TokenUrl, string RedirectUri)
{
    public string? ClientSecret { get; init; }

    /// <summary>The secret goes into the Authorization header rather than the form.</summary>
    public bool SecretInHeader { get; init; }

    public string? Scope { get; init; }

    /// <summary>What the tokens are for (RFC 8707); null where the authorisation server was not discovered and might not know the parameter.</summary>
    public string? Resource { get; init; }

    /// <summary>Null unless it was discovered.</summary>
    public string? Issuer { get; init; }

    public string? RevocationUrl { get; init; }

    /// <summary>This server introduced itself there (RFC 7591).</summary>
    public bool IsRegistered { get; init; }

    /// <summary>A record's own text would print the secret.</summary>
    public override string ToString() => ClientId;

    public string Seal(SecretBox secrets, Guid orgId, Guid serverId) => secrets.Seal(JsonSerializer.Serialize(this), McpServer.Place(orgId, serverId, "oauth_client"));

    public static OAuthClient? Of(McpServer server, SecretBox secrets) =>
        server.OauthClient is null ? null : JsonSerializer.Deserialize<OAuthClient>(secrets.Open(server.OauthClient, McpServer.Place(server.OrgId, server.Id, "oauth_client")));
}

/// <summary>What an authorisation server gave.</summary>
internal sealed record OAuthTokens(string Access, string? Refresh)
{
    /// <summary>A record's own text would print the tokens.</summary>
    public override string ToString() => nameof(OAuthTokens);

    public string Seal(SecretBox secrets, Guid orgId, Guid serverId) => secrets.Seal(JsonSerializer.Serialize(this), McpServer.Place(orgId, serverId, "oauth_tokens"));

    public static OAuthTokens? Of(McpServer server, SecretBox secrets) =>
        server.OauthTokens is null ? null : JsonSerializer.Deserialize<OAuthTokens>(secrets.Open(server.OauthTokens, McpServer.Place(server.OrgId, server.Id, "oauth_tokens")));
}
