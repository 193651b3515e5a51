using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Accounts.External;

/// <summary>Checks tokens of the issuers in <c>Auth:Oidc:Issuers</c>. What was found valid is believed for a minute, which spares busy clients the signature; whether its session still lives is asked every time.</summary>
internal sealed class TrustedIssuers : IDisposable
{
    private const int Remembered = 10_000;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60), Believed = TimeSpan.FromMinutes(1);
    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false };
    private readonly Dictionary<string, Trust> _issuers;
    private readonly ConcurrentDictionary<string, Proof> _proven = new(StringComparer.Ordinal);
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) });
    private readonly TimeProvider _time;

    public TrustedIssuers(ServerSettings settings, TimeProvider time, ILogger<TrustedIssuers> logger)
    {
        var allowed = new AllowedHosts(settings.AllowedHosts);
        _time = time;
        _issuers = settings.Auth.Issuers.ToDictionary(i => i.Issuer, i => new Trust(i, new IssuerKeys(i, _http, allowed, time, logger, Ed25519.IsAvailable)), StringComparer.Ordinal);
    }

    /// <summary>True when the token says it is of a listed issuer.</summary>
    public bool Names(string token) => _issuers.Count > 0 && (_proven.ContainsKey(token) || TrustIn(ExternalToken.ClaimsOf(token)) is not null);

    /// <summary>The token, if it is valid.</summary>
    public async ValueTask<ExternalToken?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var now = _time.Now();
        if (_proven.TryGetValue(token, out var proof) && proof.Until > now) return proof.Token;
        if (ExternalToken.ClaimsOf(token) is not { } claims || TrustIn(claims) is not { } trust || await ValidateAsync(token, trust, cancellationToken) is not { } jwt) return null;
        if (string.IsNullOrWhiteSpace(jwt.Subject) || jwt.Subject.Length > 255 || jwt.Subject.Any(char.IsControl)) return null;
        var end = jwt.ValidTo + Skew;
        var read = new ExternalToken(trust.Issuer, jwt.Subject, claims, ExternalToken.SessionOf(token), end);
        if (_proven.Count >= Remembered) _proven.Clear();
        _proven[token] = new(read, end < now + Believed ? end : now + Believed);
        return read;
    }

    public void Dispose()
    {
        foreach (var trust in _issuers.Values) trust.Keys.Dispose();
        _http.Dispose();
    }

    private Trust? TrustIn(JsonElement? claims) =>
        claims is { } found && found.TryGetProperty("iss", out var issuer) && issuer.ValueKind == JsonValueKind.String ? _issuers.GetValueOrDefault(issuer.GetString()!) : null;

    private async ValueTask<JsonWebToken?> ValidateAsync(string token, Trust trust, CancellationToken cancellationToken)
    {
        if (!Handler.CanReadToken(token) || Header(token) is not { } header || !trust.Algorithms.Contains(header.Alg)) return null;
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = trust.Algorithms,
            IssuerSigningKeys = trust.Secret is { } secret ? [secret] : await trust.Keys.FindAsync(header.Kid, cancellationToken),
            ValidIssuer = trust.Issuer.Issuer,
            ValidAudience = trust.Issuer.Audience,
            LifetimeValidator = IsCurrent,
        });
        return result.IsValid ? (JsonWebToken)result.SecurityToken : null;
    }

    private static JsonWebToken? Header(string token)
    {
        try
        {
            return Handler.ReadJsonWebToken(token);
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    private bool IsCurrent(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = _time.Now();
        return expires + Skew > now && !(notBefore > now + Skew) && token is JsonWebToken jwt && jwt.IssuedAt <= now + Skew;
    }

    private sealed record Proof(ExternalToken Token, DateTime Until);

    private sealed record Trust(OidcIssuer Issuer, IssuerKeys Keys)
    {
        public SecurityKey? Secret { get; } = Issuer.SharedSecret is { } text ? new SymmetricSecurityKey(Encoding.UTF8.GetBytes(text)) : null;

        public string[] Algorithms { get; } = Issuer.SharedSecret is null
            ? [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256, Ed25519Key.Algorithm]
            : [SecurityAlgorithms.HmacSha256];
    }
}
