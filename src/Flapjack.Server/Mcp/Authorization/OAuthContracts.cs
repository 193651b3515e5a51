using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Begins an authorisation. Everything may be absent where the server, or its managed provider, says it.</summary>
public sealed record OAuthStartRequest
{
    /// <summary>This server's id at the provider.</summary>
    public Optional<string> ClientId { get; init; }
    /// <summary>Stored encrypted.</summary>
    public Optional<string> ClientSecret { get; init; }
    /// <summary>Where people authorise, https.</summary>
    public Optional<string> AuthorizeUrl { get; init; }
    /// <summary>Where tokens are given, https.</summary>
    public Optional<string> TokenUrl { get; init; }
    /// <summary>What to ask for; empty for nothing particular.</summary>
    public Optional<string> Scope { get; init; }
    /// <summary>A path on this server where the browser goes after success.</summary>
    public Optional<string> RedirectAfter { get; init; }
}

/// <summary>Where to send the user.</summary>
/// <param name="AuthorizationUrl">To be opened in a browser within ten minutes, once.</param>
public sealed record OAuthStartResponse([property: JsonPropertyName("authorizationUrl")] string AuthorizationUrl);

/// <summary>What is known of a server's authorisation.</summary>
public sealed record OAuthStateResponse
{
    /// <summary>Tokens are stored and of use.</summary>
    [JsonPropertyName("connected")] public required bool Connected { get; init; }
    /// <summary>What they are good for.</summary>
    [JsonPropertyName("scope")] public required string? Scope { get; init; }
    /// <summary>When they end; they are refreshed before.</summary>
    [JsonPropertyName("expiresAt")] public required DateTime? ExpiresAt { get; init; }
    /// <summary>When they were refreshed last.</summary>
    [JsonPropertyName("lastRefreshAt")] public required DateTime? LastRefreshAt { get; init; }
    /// <summary>Why they could not be refreshed, or the last authorisation failed.</summary>
    [JsonPropertyName("lastError")] public required string? LastError { get; init; }

    internal static OAuthStateResponse From(McpServer server) => new()
    {
        Connected = server.OauthTokens is not null && server.Status != McpServer.NeedsAuth,
        Scope = server.OauthScope,
        ExpiresAt = server.OauthExpiresAt,
        LastRefreshAt = server.OauthRefreshedAt,
        LastError = server.OauthError,
    };
}
