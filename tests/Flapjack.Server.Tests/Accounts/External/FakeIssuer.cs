using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Accounts.External;

/// <summary>An OpenID Connect issuer on a socket: discovery, key set, tokens of every kind. It counts what it is asked.</summary>
internal sealed class FakeIssuer : IAsyncDisposable
{
    public const string Audience = "flapjack-tests", Secret = "a shared secret of more than thirty-two bytes";

    private readonly WebApplication _app;
    private readonly List<JsonObject> _published = [];

    private FakeIssuer(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public int KeyRequests;

    /// <summary>What the key set address answers instead of the keys.</summary>
    public string? Answer { get; set; }

    /// <summary>What discovery gives as address of the keys instead of the right one.</summary>
    public string? JwksUri { get; set; }

    public bool IsDown { get; set; }

    public static async Task<FakeIssuer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var issuer = new FakeIssuer(builder.Build());
        issuer._app.Run(issuer.AnswerAsync);
        await issuer._app.StartAsync();
        return issuer;
    }

    /// <summary>A key pair whose public part is in the key set from now on.</summary>
    public Signer Publish(string algorithm, string keyId)
    {
        var signer = Signer.Create(algorithm, keyId);
        _published.Add(signer.PublicPart());
        return signer;
    }

    public void Withdraw() => _published.Clear();

    /// <summary>The claims of a good token; the test changes what it is about.</summary>
    public JsonObject Claims(ManualTime time, string subject, Action<JsonObject>? change = null)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject { ["iss"] = Address, ["aud"] = Audience, ["sub"] = subject, ["iat"] = now, ["exp"] = now + 3600, ["email"] = $"{subject}@example.com", ["email_verified"] = true, ["jti"] = Guid.CreateVersion7().ToString() };
        change?.Invoke(claims);
        return claims;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        if (IsDown)
        {
            http.Response.StatusCode = 503;
            return;
        }
        if (http.Request.Path == "/.well-known/openid-configuration")
        {
            await http.Response.WriteAsJsonAsync(new { issuer = Address, jwks_uri = JwksUri ?? Address + "/keys" });
            return;
        }
        Interlocked.Increment(ref KeyRequests);
        await http.Response.WriteAsync(Answer ?? new JsonObject { ["keys"] = new JsonArray([.. _published.Select(k => k.DeepClone())]) }.ToJsonString());
    }
}

/// <summary>Signs tokens.</summary>
internal sealed record Signer(string Algorithm, string? KeyId, Func<byte[], byte[]> Sign, Func<JsonObject> PublicPart)
{
    public static Signer Create(string algorithm, string keyId)
    {
        if (algorithm == "ES256")
        {
            var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var point = ec.ExportParameters(false).Q;
            return new(algorithm, keyId, data => ec.SignData(data, HashAlgorithmName.SHA256),
                () => new() { ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = keyId, ["use"] = "sig", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) });
        }
        if (algorithm == "EdDSA")
        {
            var pair = new Ed25519Pair();
            return new(algorithm, keyId, pair.Sign, () => new() { ["kty"] = "OKP", ["crv"] = "Ed25519", ["kid"] = keyId, ["use"] = "sig", ["alg"] = algorithm, ["x"] = Base64Url.EncodeToString(pair.PublicKey) });
        }
        var rsa = RSA.Create(2048);
        var numbers = rsa.ExportParameters(false);
        var padding = algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        return new(algorithm, keyId, data => rsa.SignData(data, HashAlgorithmName.SHA256, padding),
            () => new() { ["kty"] = "RSA", ["kid"] = keyId, ["use"] = "sig", ["n"] = Base64Url.EncodeToString(numbers.Modulus), ["e"] = Base64Url.EncodeToString(numbers.Exponent) });
    }

    public static Signer Shared(string secret) => new("HS256", null, data => HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), data), () => []);

    public static Signer None { get; } = new("none", null, _ => [], () => []);

    public string Token(JsonObject claims)
    {
        var header = new JsonObject { ["alg"] = Algorithm, ["typ"] = "JWT" };
        if (KeyId is not null) header["kid"] = KeyId;
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(json));
}
