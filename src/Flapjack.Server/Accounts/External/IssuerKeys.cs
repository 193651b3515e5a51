using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Accounts.External;

/// <summary>The public keys of one issuer: fetched when first needed, again every ten minutes beside the requests, and at once for a key id nobody has seen, at most every half minute.</summary>
/// <remarks>An issuer that does not answer costs its people nothing as long as keys are known. The addresses are the operator's own, so only their scheme is checked.</remarks>
internal sealed partial class IssuerKeys(OidcIssuer issuer, HttpMessageInvoker http, AllowedHosts allowed, TimeProvider time, ILogger logger, bool checksEd25519) : IDisposable
{
    private const int LargestDocument = 256 * 1024;
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10), Pause = TimeSpan.FromSeconds(30), Patience = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _fetching = new(1);
    private volatile Known? _known;
    private long _nextFetch;
    private bool _toldOfEd25519;

    /// <summary>The keys a token may be signed with. Throws 503 when the issuer has never answered.</summary>
    public async ValueTask<IReadOnlyList<SecurityKey>> FindAsync(string? keyId, CancellationToken cancellationToken)
    {
        if (_known is null) await FetchAsync(cancellationToken);
        if (_known is not { } known) throw ApiException.Unavailable("the keys of the token's issuer cannot be had at the moment");
        if (known.ReadAt + Fresh < time.Now()) _ = FetchAsync(CancellationToken.None);
        var keys = known.With(keyId);
        if (keys.Count > 0) return keys;
        await FetchAsync(cancellationToken);
        return _known.With(keyId);
    }

    public void Dispose() => _fetching.Dispose();

    // One at a time and seldom: tokens with invented key ids must not turn this server against the issuer. Whoever waited for another's fetch uses what it brought.
    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        var asked = _known;
        await _fetching.WaitAsync(cancellationToken);
        try
        {
            var now = time.Now();
            if (_known != asked || now.Ticks < _nextFetch) return;
            _nextFetch = (now + Pause).Ticks;
            using var patience = new CancellationTokenSource(Patience, time);
            _known = new(await ReadKeysAsync(patience.Token), now);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException or ArgumentException or InvalidOperationException or KeyNotFoundException or FormatException or OperationCanceledException)
        {
            LogFailed(logger, fault, issuer.Issuer);
        }
        finally
        {
            _fetching.Release();
        }
    }

    private async Task<IReadOnlyList<SecurityKey>> ReadKeysAsync(CancellationToken cancellationToken)
    {
        var address = issuer.JwksUri ?? await DiscoverAsync(cancellationToken);
        var set = new JsonWebKeySet(await ReadAsync(address, cancellationToken));
        return [.. set.GetSigningKeys(), .. Ed25519Keys(set)];
    }

    private List<Ed25519Key> Ed25519Keys(JsonWebKeySet set)
    {
        var keys = set.Keys.Select(Ed25519Key.From).OfType<Ed25519Key>().ToList();
        if (checksEd25519 || keys.Count == 0) return keys;
        if (!_toldOfEd25519) LogNoEd25519(logger, issuer.Issuer);
        _toldOfEd25519 = true;
        return [];
    }

    private async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await ReadAsync(new Uri(issuer.Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), cancellationToken));
        if (document.RootElement.GetProperty("issuer").GetString() != issuer.Issuer) throw new InvalidOperationException("The discovery document names another issuer.");
        var address = new Uri(document.RootElement.GetProperty("jwks_uri").GetString() ?? "");
        return allowed.AllowsScheme(address) ? address : throw new InvalidOperationException("The discovery document names keys at an address that is not https.");
    }

    private async Task<string> ReadAsync(Uri address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.ParseAdd("application/json");
        using var response = await http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LargestDocument + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= LargestDocument ? Encoding.UTF8.GetString(buffer, 0, length) : throw new IOException("The document is larger than 256 KB.");
    }

    [LoggerMessage(1, LogLevel.Warning, "The keys of issuer {Issuer} could not be fetched")]
    private static partial void LogFailed(ILogger logger, Exception exception, string issuer);

    [LoggerMessage(2, LogLevel.Warning, "Issuer {Issuer} has an Ed25519 key. Checking its tokens needs OpenSSL 1.1.1 or later (libcrypto), which is not here: tokens signed with EdDSA are refused")]
    private static partial void LogNoEd25519(ILogger logger, string issuer);

    private sealed record Known(IReadOnlyList<SecurityKey> Keys, DateTime ReadAt)
    {
        public IReadOnlyList<SecurityKey> With(string? keyId) => string.IsNullOrEmpty(keyId) ? Keys : [.. Keys.Where(k => k.KeyId == keyId)];
    }
}
