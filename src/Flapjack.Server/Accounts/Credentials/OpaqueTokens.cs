using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Tokens that mean something only to this server: refresh tokens and login links. The database holds their HMAC.</summary>
/// <remarks>
/// A refresh token is session id, 32 random bytes and a seal over both. By the seal a token that was once valid is told from an invented one:
/// the first ends its session when it comes back, the second must not, or anyone who saw a session id could log its owner out.
/// </remarks>
internal sealed class OpaqueTokens(ServerSecrets secrets)
{
    private const int IdSize = 16, RandomSize = 32, SealSize = 16;
    private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secrets.KeyPepper), 32, info: "flapjack account tokens v1"u8.ToArray());

    public string HashOf(string token) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(token)));

    /// <summary>A random token of 43 url-safe characters, for links.</summary>
    public static string NewLinkToken() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>A login link, valid for <paramref name="lifetime"/> (24 hours).</summary>
    public LoginLink NewLink(Guid userId, DateTime now, out string token, TimeSpan? lifetime = null, Guid? createdBy = null)
    {
        token = NewLinkToken();
        return new() { Id = Ids.New(), UserId = userId, TokenHash = HashOf(token), ExpiresAt = now + (lifetime ?? TimeSpan.FromHours(24)), CreatedBy = createdBy };
    }

    public string NewRefreshToken(Guid sessionId)
    {
        var token = new byte[IdSize + RandomSize + SealSize];
        sessionId.TryWriteBytes(token);
        RandomNumberGenerator.Fill(token.AsSpan(IdSize, RandomSize));
        Seal(token).CopyTo(token, IdSize + RandomSize);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>The session a refresh token was made for; null when this server did not make it.</summary>
    public Guid? SessionOf(string refreshToken)
    {
        Span<byte> token = stackalloc byte[IdSize + RandomSize + SealSize];
        if (refreshToken.Length != Base64Url.GetEncodedLength(token.Length) || !Base64Url.TryDecodeFromChars(refreshToken, token, out var written) || written != token.Length) return null;
        return CryptographicOperations.FixedTimeEquals(Seal(token), token[^SealSize..]) ? new Guid(token[..IdSize]) : null;
    }

    private byte[] Seal(ReadOnlySpan<byte> token) => HMACSHA256.HashData(_key, token[..^SealSize])[..SealSize];
}
