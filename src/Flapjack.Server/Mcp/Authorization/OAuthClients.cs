using Flapjack.Server.Mcp.Registry;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Settles how a server's authorisation is asked for: as the request says, as its managed provider says, or as the server itself describes it.</summary>
internal sealed class OAuthClients(OAuthDiscovery discovery, OAuthAddresses addresses, ManagedProviders managed, SecretBox secrets)
{
    private const int MaxText = 2_000;

    public async Task<OAuthClient> ForAsync(McpServer server, OAuthStartRequest request, string redirectUri, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.Text("clientId", request.ClientId.Value, MaxText, min: 1);
        errors.Text("clientSecret", request.ClientSecret.Value, MaxText, min: 1);
        errors.Text("scope", request.Scope.Value, MaxText);
        errors.ThrowIfAny();
        if (request.AuthorizeUrl.Value is not null || request.TokenUrl.Value is not null) return await GivenAsync(request, redirectUri, cancellationToken);
        var provider = managed.Find(server.ManagedProvider) is { } named && named.Is(server) ? named : null;
        var (id, secret) = request.ClientId.Value is { } own ? (own, request.ClientSecret.Value) : (provider?.ClientId, provider?.ClientSecret);
        var scope = request.Scope.Value ?? (provider is { Scopes.Count: > 0 } ? string.Join(' ', provider.Scopes) : null);
        if (provider is { AuthorizeUrl: { } authorize, TokenUrl: { } token } && id is not null)
            return new(id, authorize.ToString(), token.ToString(), redirectUri) { ClientSecret = secret, Scope = scope };
        var known = OAuthClient.Of(server, secrets);
        if (known is { Issuer: null } && id is null) return known with { RedirectUri = redirectUri, Scope = scope ?? known.Scope };
        return await DiscoveredAsync(new Uri(server.Url!), id, secret, scope, known, redirectUri, cancellationToken);
    }

    private async Task<OAuthClient> GivenAsync(OAuthStartRequest request, string redirectUri, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.Required("clientId", request.ClientId.Value, MaxText);
        if (request.Scope.Value is null) errors.Add("scope", "is required");
        foreach (var (field, address) in (ReadOnlySpan<(string, string?)>)[("authorizeUrl", request.AuthorizeUrl.Value), ("tokenUrl", request.TokenUrl.Value)]) errors.Required(field, address, MaxText);
        if (request.AuthorizeUrl.Value is { Length: > 0 } authorize && await addresses.RefusalAsync(authorize, cancellationToken) is { } first) errors.Add("authorizeUrl", first);
        if (request.TokenUrl.Value is { Length: > 0 } token && await addresses.RefusalAsync(token, cancellationToken) is { } second) errors.Add("tokenUrl", second);
        errors.ThrowIfAny();
        return new(request.ClientId.Value!, request.AuthorizeUrl.Value!, request.TokenUrl.Value!, redirectUri) { ClientSecret = request.ClientSecret.Value, Scope = request.Scope.Value };
    }

    private async Task<OAuthClient> DiscoveredAsync(Uri url, string? id, string? secret, string? scope, OAuthClient? known, string redirectUri, CancellationToken cancellationToken)
    {
        var found = await discovery.FindAsync(url, cancellationToken) ?? throw ApiException.Invalid("authorizeUrl", "is required: the server does not describe how it is authorised");
        var client = new OAuthClient(id ?? "", found.AuthorizeUrl, found.TokenUrl, redirectUri)
        {
            ClientSecret = secret,
            SecretInHeader = found.TokenAuthMethods is { Count: > 0 } methods && !methods.Contains("client_secret_post"),
            Scope = scope ?? found.Scope,
            Resource = found.Resource,
            Issuer = found.Issuer,
            RevocationUrl = found.RevocationUrl,
        };
        if (id is not null) return client;
        // Authorisation servers keep those who introduced themselves; there is no need to do so every time.
        if (known is { IsRegistered: true } && known.Issuer == found.Issuer && known.RedirectUri == redirectUri)
            return client with { ClientId = known.ClientId, ClientSecret = known.ClientSecret, SecretInHeader = known.SecretInHeader, IsRegistered = true };
        var registered = await discovery.RegisterAsync(found, redirectUri, cancellationToken)
            ?? throw ApiException.Invalid("clientId", "is required: the authorisation server does not register clients by itself");
        return client with { ClientId = registered.ClientId, ClientSecret = registered.Secret, SecretInHeader = registered.SecretInHeader, IsRegistered = true };
    }
}
