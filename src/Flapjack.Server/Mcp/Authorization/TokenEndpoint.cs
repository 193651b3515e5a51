using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Asks authorisation servers for tokens.</summary>
internal sealed class TokenEndpoint(OutboundHttp http)
{
    private const int MaxToken = 16_384;
    private static readonly OutboundLimits Limits = new(TimeSpan.FromSeconds(15), 64 * 1024) { MaxRedirects = 0 };

    /// <summary>Changes a code for tokens.</summary>
    public Task<TokenAnswer> ExchangeAsync(OAuthClient client, string code, string verifier, CancellationToken cancellationToken) =>
        AskAsync(client, [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", client.RedirectUri), ("code_verifier", verifier)], cancellationToken);

    /// <summary>Changes a refresh token for new tokens.</summary>
    public Task<TokenAnswer> RefreshAsync(OAuthClient client, string refreshToken, CancellationToken cancellationToken) =>
        AskAsync(client, [("grant_type", "refresh_token"), ("refresh_token", refreshToken)], cancellationToken);

    /// <summary>Takes tokens back, where the authorisation server can; nobody waits for its success.</summary>
    public async Task RevokeAsync(OAuthClient client, OAuthTokens tokens, CancellationToken cancellationToken)
    {
        if (client.RevocationUrl is not { } address) return;
        try
        {
            await SendAsync(client, address, [("token", tokens.Refresh ?? tokens.Access), ("token_type_hint", tokens.Refresh is null ? "access_token" : "refresh_token")], cancellationToken);
        }
        catch (OutboundException)
        {
            // The tokens are erased here, whatever becomes of them there.
        }
    }

    private async Task<TokenAnswer> AskAsync(OAuthClient client, List<(string Name, string Value)> form, CancellationToken cancellationToken)
    {
        if (client.Resource is { } resource) form.Add(("resource", resource));
        try
        {
            var answer = await SendAsync(client, client.TokenUrl, form, cancellationToken);
            return Read(answer);
        }
        catch (OutboundException exception)
        {
            return TokenAnswer.Failed(exception.Message, isFinal: false);
        }
    }

    private Task<OutboundAnswer> SendAsync(OAuthClient client, string address, List<(string Name, string Value)> form, CancellationToken cancellationToken) =>
        http.SendAsync(uri =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, uri);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            var fields = form.Select(field => KeyValuePair.Create(field.Name, field.Value)).ToList();
            if (client is { SecretInHeader: true, ClientSecret: { } secret })
            {
                var credentials = $"{Uri.EscapeDataString(client.ClientId)}:{Uri.EscapeDataString(secret)}";
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(credentials)));
            }
            else
            {
                fields.Add(new("client_id", client.ClientId));
                if (client.ClientSecret is not null) fields.Add(new("client_secret", client.ClientSecret));
            }
            request.Content = new FormUrlEncodedContent(fields);
            return request;
        }, new Uri(address), Limits, cancellationToken);

    private static TokenAnswer Read(OutboundAnswer answer)
    {
        JsonElement json;
        try
        {
            using var document = JsonDocument.Parse(answer.Body);
            json = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            // Proxies and gateways speak so, whatever the status; an authorisation server that refuses for good says it in JSON.
            return TokenAnswer.Failed($"the authorisation server answered with status {answer.Status} and no JSON", isFinal: false);
        }
        if (json.ValueKind != JsonValueKind.Object) return TokenAnswer.Failed("the authorisation server answered with something else than tokens", isFinal: false);
        // Some answer 200 with an error inside.
        if (!answer.IsSuccess || Text(json, "error") is not null)
            return TokenAnswer.Failed($"the authorisation server refused: {McpFault.Words(Text(json, "error") ?? $"status {answer.Status}")}", answer.IsSuccess || answer.Status is >= 400 and < 500 and not (408 or 429));
        if (Text(json, "access_token") is not { Length: > 0 and <= MaxToken } access || access.AsSpan().ContainsAnyExceptInRange('!', '~')) return TokenAnswer.Failed("the authorisation server gave no usable token", isFinal: false);
        if (Text(json, "token_type") is { } type && !type.Equals("bearer", StringComparison.OrdinalIgnoreCase)) return TokenAnswer.Failed("the authorisation server gave a token of a kind that is not supported", isFinal: true);
        return new(new(access, Text(json, "refresh_token") is { Length: > 0 and <= MaxToken } refresh ? refresh : null), Text(json, "scope"), Seconds(json), null, false);
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static double? Seconds(JsonElement json) => json.TryGetProperty("expires_in", out var value) && (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds)
        || value.ValueKind == JsonValueKind.String && double.TryParse(value.GetString(), System.Globalization.CultureInfo.InvariantCulture, out seconds)) && seconds is > 0 and < 1e9 ? seconds : null;
}

/// <summary>What an authorisation server said when asked for tokens.</summary>
/// <param name="Tokens">Null after a failure.</param>
/// <param name="Scope">What they are good for; null = as asked.</param>
/// <param name="ExpiresIn">Seconds; null = nobody knows.</param>
/// <param name="Error">Why there are none, fit for users.</param>
/// <param name="IsFinal">Asking again will not help.</param>
internal sealed record TokenAnswer(OAuthTokens? Tokens, string? Scope, double? ExpiresIn, string? Error, bool IsFinal)
{
    public static TokenAnswer Failed(string error, bool isFinal) => new(null, null, null, error, isFinal);
}
