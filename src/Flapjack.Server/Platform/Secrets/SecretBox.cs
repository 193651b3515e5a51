using System.Security.Cryptography;
using System.Text;

namespace Flapjack.Server.Platform.Secrets;

/// <summary>Encrypts what must be stored but never shown: AES-256-GCM under a key derived from the master key.</summary>
/// <remarks>
/// A box is <c>v1.&lt;key id&gt;.&lt;base64 of nonce, ciphertext, tag&gt;</c>. The place it belongs to (organisation, row, field) is
/// authenticated with it, so a box copied to another row does not open.
/// </remarks>
internal sealed class SecretBox
{
    private const int NonceSize = 12, TagSize = 16;
    private readonly byte[] _key;
    private readonly string _prefix;

    public SecretBox(ServerSecrets secrets)
    {
        var master = Encoding.UTF8.GetBytes(secrets.MasterKey);
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, master, 32, info: "flapjack secrets v1"u8.ToArray());
        _prefix = $"v1.{Convert.ToHexStringLower(SHA256.HashData(_key).AsSpan(0, 4))}.";
    }

    /// <summary>Seals <paramref name="text"/> for one place, such as <c>org/agents/row/field</c>.</summary>
    public string Seal(string text, string place) => _prefix + Convert.ToBase64String(SealBytes(Encoding.UTF8.GetBytes(text), place));

    /// <summary>Opens a sealed text. Throws <see cref="CryptographicException"/> when it was made with another master key or for another place.</summary>
    public string Open(string sealedText, string place)
    {
        if (!sealedText.StartsWith(_prefix, StringComparison.Ordinal))
            throw new CryptographicException("This value was encrypted with another master key. Restore Security:MasterKey or the secrets.json that belongs to this database.");
        return Encoding.UTF8.GetString(OpenBytes(Convert.FromBase64String(sealedText[_prefix.Length..]), place));
    }

    /// <summary>Seals bytes: nonce, ciphertext, tag.</summary>
    public byte[] SealBytes(ReadOnlySpan<byte> plain, string place)
    {
        var box = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceSize));
        using var aes = new AesGcm(_key, TagSize);
        aes.Encrypt(box.AsSpan(0, NonceSize), plain, box.AsSpan(NonceSize, plain.Length), box.AsSpan(NonceSize + plain.Length), Encoding.UTF8.GetBytes(place));
        return box;
    }

    /// <summary>Opens what <see cref="SealBytes"/> made.</summary>
    public byte[] OpenBytes(ReadOnlySpan<byte> box, string place)
    {
        var plain = new byte[box.Length - NonceSize - TagSize];
        using var aes = new AesGcm(_key, TagSize);
        aes.Decrypt(box[..NonceSize], box[NonceSize..^TagSize], box[^TagSize..], plain, Encoding.UTF8.GetBytes(place));
        return plain;
    }
}
