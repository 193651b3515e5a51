using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>A request to a channel's address.</summary>
/// <param name="IsGet">Else it is a POST.</param>
/// <param name="Body">As it came: signatures are over these bytes.</param>
/// <param name="Header">A header's value; null without it.</param>
/// <param name="Query">A value of the query; null without it.</param>
/// <param name="Now">The time.</param>
internal sealed record HookRequest(bool IsGet, ReadOnlyMemory<byte> Body, Func<string, string?> Header, Func<string, string?> Query, DateTimeOffset Now)
{
    private JsonElement? _json;

    /// <summary>The body; 400 when it is no JSON object.</summary>
    public JsonElement Json => _json ??= Parse();

    /// <summary>Equal, found out in the same time whatever differs.</summary>
    public static bool IsSame(string? one, string other) =>
        one is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(one)), SHA256.HashData(Encoding.UTF8.GetBytes(other)));

    private JsonElement Parse()
    {
        // For its checks: halves of characters would fail later, as a server error.
        RequestBytes.Parse<Dictionary<string, JsonElement>>(Body.Span);
        return JsonElement.Parse(Body.Span);
    }
}

/// <summary>An answer that a provider waits for.</summary>
/// <param name="Text">The body.</param>
/// <param name="MediaType">Of the body.</param>
internal sealed record HookAnswer(string Text, string MediaType);
