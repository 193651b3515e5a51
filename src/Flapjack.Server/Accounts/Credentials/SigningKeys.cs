using System.Security.Cryptography;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>The key pairs of access tokens, newest first. The first is made with the database's first content; all nodes share it.</summary>
internal sealed class SigningKeys(Databases databases, SecretBox box, TimeProvider time)
{
    private volatile ECDsaSecurityKey[]? _keys;

    public async ValueTask<ECDsaSecurityKey[]> AllAsync(CancellationToken cancellationToken) => _keys ??= await LoadAsync(cancellationToken);

    /// <summary>A new first key, not yet stored.</summary>
    public SigningKey CreateFirst()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new() { Id = SigningKey.FirstId, PrivateKey = box.Seal(Convert.ToBase64String(pair.ExportPkcs8PrivateKey()), Place(SigningKey.FirstId)), CreatedAt = time.Now() };
    }

    /// <summary>What others need to verify a signature.</summary>
    public static VerificationKey PublicPart(ECDsaSecurityKey key)
    {
        var point = key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new() { Kid = key.KeyId, X = Base64UrlEncoder.Encode(point.X), Y = Base64UrlEncoder.Encode(point.Y) };
    }

    private async Task<ECDsaSecurityKey[]> LoadAsync(CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        var rows = await db.SigningKeys.AsNoTracking().OrderByDescending(k => k.CreatedAt).ToListAsync(cancellationToken);
        if (rows.Count == 0) throw new InvalidOperationException("The database has no signing key; the first start creates it.");
        return [.. rows.Select(Open)];
    }

    private ECDsaSecurityKey Open(SigningKey row)
    {
        var pair = ECDsa.Create();
        pair.ImportPkcs8PrivateKey(Convert.FromBase64String(box.Open(row.PrivateKey, Place(row.Id))), out _);
        var key = new ECDsaSecurityKey(pair);
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
        return key;
    }

    private static string Place(Guid id) => $"server/signing_keys/{id}/private_key";
}
