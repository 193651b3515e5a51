using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Finds out which authorisation server guards an MCP server, from what both publish, and introduces this server there.</summary>
/// <remarks>https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization; RFC 9728, RFC 8414, RFC 7591.</remarks>
internal sealed class OAuthDiscovery(OutboundHttp http, OAuthAddresses addresses)
{
    private static readonly OutboundLimits Limits = new(TimeSpan.FromSeconds(8), 256 * 1024);

    private static readonly string[] Grants = ["authorization_code", "refresh_token"], Responses = ["code"];

    /// <summary>Null when nothing usable is published.</summary>
    public async Task<AuthorisationServer?> FindAsync(Uri server, CancellationToken cancellationToken)
    {
        var (named, wanted) = await AskServerAsync(server, cancellationToken);
        var resource = await ResourceAsync(server, named, cancellationToken);
        var issuer = resource?.Issuer ?? new Uri(server, "/").ToString();
        if (!addresses.Allows(issuer) || await MetadataAsync(new Uri(issuer), cancellationToken) is not { } found) return null;
        return found with { Scope = wanted ?? resource?.Scopes, Resource = resource?.Id ?? server.GetLeftPart(UriPartial.Path) };
    }

    /// <summary>Introduces this server. Null when the authorisation server does not take strangers.</summary>
    public async Task<(string ClientId, string? Secret, bool SecretInHeader)?> RegisterAsync(AuthorisationServer server, string redirectUri, CancellationToken cancellationToken)
    {
        if (server.RegistrationUrl is not { } address) return null;
        var method = server.TokenAuthMethods is not { Count: > 0 } methods || methods.Contains("none") ? "none" : methods.Contains("client_secret_post") ? "client_secret_post" : "client_secret_basic";
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["client_name"] = "Flapjack",
            ["redirect_uris"] = new[] { redirectUri },
            ["grant_types"] = Grants,
            ["response_types"] = Responses,
            ["token_endpoint_auth_method"] = method,
        });
        var answer = await AskAsync(new Uri(address), HttpMethod.Post, body, cancellationToken);
        if (answer is not { IsSuccess: true } || Json(answer) is not { } client || Text(client, "client_id") is not { Length: > 0 and <= 2_000 } id) return null;
        return (id, Text(client, "client_secret"), (Text(client, "token_endpoint_auth_method") ?? method) == "client_secret_basic");
    }

    // A guarded server says in its refusal where to look.
    private async Task<(Uri? Metadata, string? Scope)> AskServerAsync(Uri server, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(server, HttpMethod.Post, """{"jsonrpc":"2.0","id":1,"method":"ping"}"""u8.ToArray(), cancellationToken);
        if (answer is not { Status: 401 } || !answer.Headers.TryGetValue("WWW-Authenticate", out var challenges)) return (null, null);
        var challenge = BearerChallenge.Parse(challenges.ToString());
        return (Uri.TryCreate(challenge.Metadata, UriKind.Absolute, out var address) ? address : null, challenge.Scope);
    }

    private async Task<(string Id, string Issuer, string? Scopes)?> ResourceAsync(Uri server, Uri? named, CancellationToken cancellationToken)
    {
        const string wellKnown = "/.well-known/oauth-protected-resource";
        Uri?[] candidates = [named, new Uri(server, wellKnown + server.AbsolutePath.TrimEnd('/')), new Uri(server, wellKnown)];
        foreach (var candidate in candidates.OfType<Uri>().Distinct())
        {
            if (!addresses.Allows(candidate.ToString()) || Json(await AskAsync(candidate, HttpMethod.Get, null, cancellationToken)) is not { } json) continue;
            // A description of another resource would send tokens for it here.
            if (Text(json, "resource") is not { } id || !Uri.TryCreate(id, UriKind.Absolute, out var resource) || !OutboundHttp.IsSameOrigin(resource, server) || !server.AbsolutePath.StartsWith(resource.AbsolutePath.TrimEnd('/'), StringComparison.Ordinal)) continue;
            if (List(json, "authorization_servers") is not [var issuer, ..]) continue;
            return (id, issuer, List(json, "scopes_supported") is { Count: > 0 } scopes ? string.Join(' ', scopes) : null);
        }
        return null;
    }

    private async Task<AuthorisationServer?> MetadataAsync(Uri issuer, CancellationToken cancellationToken)
    {
        var path = issuer.AbsolutePath.TrimEnd('/');
        string[] places = path.Length == 0
            ? ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
            : [$"/.well-known/oauth-authorization-server{path}", $"/.well-known/openid-configuration{path}", $"{path}/.well-known/openid-configuration"];
        foreach (var place in places)
        {
            if (Json(await AskAsync(new Uri(issuer, place), HttpMethod.Get, null, cancellationToken)) is not { } json) continue;
            if (Text(json, "issuer")?.TrimEnd('/') != issuer.ToString().TrimEnd('/')) continue;
            if (Text(json, "authorization_endpoint") is not { } authorize || Text(json, "token_endpoint") is not { } token || !addresses.Allows(authorize) || !addresses.Allows(token)) continue;
            if (List(json, "code_challenge_methods_supported") is { } challenges && !challenges.Contains("S256")) continue;
            return new(Text(json, "issuer")!, authorize, token)
            {
                RegistrationUrl = Allowed(Text(json, "registration_endpoint")),
                RevocationUrl = Allowed(Text(json, "revocation_endpoint")),
                TokenAuthMethods = List(json, "token_endpoint_auth_methods_supported"),
            };
        }
        return null;
    }

    private string? Allowed(string? address) => address is not null && addresses.Allows(address) ? address : null;

    private async Task<OutboundAnswer?> AskAsync(Uri address, HttpMethod method, byte[]? body, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(uri =>
            {
                var request = new HttpRequestMessage(method, uri);
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
                if (body is null) return request;
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
                return request;
            }, address, Limits, cancellationToken);
        }
        catch (OutboundException)
        {
            return null;
        }
    }

    private static JsonElement? Json(OutboundAnswer? answer)
    {
        if (answer is not { IsSuccess: true }) return null;
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetString(answer.Body));
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static List<string>? List(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)] : null;
}

/// <summary>An authorisation server as it describes itself.</summary>
internal sealed record AuthorisationServer(string Issuer, string AuthorizeUrl, string TokenUrl)
{
    public string? RegistrationUrl { get; init; }
    public string? RevocationUrl { get; init; }
    public IReadOnlyList<string>? TokenAuthMethods { get; init; }

    /// <summary>What the MCP server wants to be asked for.</summary>
    public string? Scope { get; init; }

    /// <summary>The MCP server, as tokens name it.</summary>
    public string? Resource { get; init; }
}
