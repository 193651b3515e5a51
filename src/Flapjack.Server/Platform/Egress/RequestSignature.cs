using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Flapjack.Server.Platform.Egress;

/// <summary>Signs what the server sends to applications, so that they can tell its requests from anybody else's.</summary>
internal static class RequestSignature
{
    public const string Timestamp = "X-Flapjack-Timestamp", Nonce = "X-Flapjack-Nonce", Signature = "X-Flapjack-Signature";
    private const string Prefix = "whsec_";

    /// <summary>Adds the three headers. Call it for every request anew, retries and redirects included: a nonce is good for one.</summary>
    public static void AddTo(HttpRequestMessage request, string secret, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var (timestamp, nonce) = (now.ToUnixTimeSeconds(), RandomNumberGenerator.GetHexString(32, lowercase: true));
        request.Headers.TryAddWithoutValidation(Timestamp, timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation(Nonce, nonce);
        request.Headers.TryAddWithoutValidation(Signature, Of(secret, timestamp, nonce, body));
    }

    /// <summary>Of tools, delegated tools, resolvers and webhook steps: over <c>timestamp.nonce.body</c>, in lower-case hex. The key is the whole secret as UTF-8.</summary>
    public static string Of(string secret, long timestamp, string nonce, ReadOnlySpan<byte> body) =>
        Convert.ToHexStringLower(Hash(Encoding.UTF8.GetBytes(secret), string.Create(CultureInfo.InvariantCulture, $"{timestamp}.{nonce}."), body));

    /// <summary>Of lifecycle webhooks: over the body alone, in lower-case hex.</summary>
    public static string OfBody(string secret, ReadOnlySpan<byte> body) => Convert.ToHexStringLower(Hash(Encoding.UTF8.GetBytes(secret), "", body));

    /// <summary>Of lifecycle webhooks by the Standard Webhooks convention: <c>v1,&lt;base64&gt;</c> over <c>id.timestamp.body</c>.</summary>
    public static string Standard(string secret, string id, long timestamp, ReadOnlySpan<byte> body) =>
        "v1," + Convert.ToBase64String(Hash(StandardKey(secret), string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."), body));

    private static byte[] Hash(byte[] key, string head, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes(head));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }

    private static byte[] StandardKey(string secret) =>
        secret.StartsWith(Prefix, StringComparison.Ordinal) && Base64.IsValid(secret.AsSpan(Prefix.Length)) ? Convert.FromBase64String(secret[Prefix.Length..]) : Encoding.UTF8.GetBytes(secret);
}
