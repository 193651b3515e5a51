using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Accounts.External;

/// <summary>A token of another issuer that was found valid.</summary>
internal sealed record ExternalToken(OidcIssuer Issuer, string Subject, JsonElement Claims, Guid SessionId, DateTime ExpiresAt)
{
    public string? Email => Text(Issuer.EmailClaim) is { } email && User.IsAddress(email.Trim()) ? User.Normalise(email) : null;

    /// <summary>What the issuer says about the address; null when it says nothing.</summary>
    public bool? EmailVerified => ClaimPath.Find(Claims, "email_verified") switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.String } text => text.GetString() == "true",
        _ => null,
    };

    public string? Name => Text("name") is { Length: <= 200 } name && !name.Any(char.IsControl) ? name.Trim() : null;

    public string? Text(string path) => ClaimPath.Texts(Claims, path).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

    /// <summary>The session a token stands for. It is made of what the signature covers, so no other spelling of the same token escapes a logout.</summary>
    public static Guid SessionOf(string token)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]));
        // Version 8: made of a hash.
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }

    /// <summary>The claims, unchecked; null when the token has none.</summary>
    public static JsonElement? ClaimsOf(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return null;
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            // Text that is no text, such as half a character, is noticed only when it is read.
            foreach (var claim in document.RootElement.EnumerateObject())
            {
                if (claim.Value.ValueKind == JsonValueKind.String) _ = claim.Value.GetString();
            }
            return document.RootElement.Clone();
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>Finds a claim by its name, or inside others by a path with dots (<c>realm_access.roles</c>).</summary>
internal static class ClaimPath
{
    public static JsonElement? Find(JsonElement claims, string path)
    {
        // Names may hold dots themselves: https://example.com/role.
        if (claims.TryGetProperty(path, out var direct)) return direct;
        foreach (var name in path.Split('.'))
        {
            if (claims.ValueKind != JsonValueKind.Object || !claims.TryGetProperty(name, out claims)) return null;
        }
        return claims;
    }

    /// <summary>A text, or the texts of a list.</summary>
    public static IEnumerable<string> Texts(JsonElement claims, string path) => Find(claims, path) switch
    {
        { ValueKind: JsonValueKind.String } one => [one.GetString()!],
        { ValueKind: JsonValueKind.Array } many => many.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!),
        _ => [],
    };
}
