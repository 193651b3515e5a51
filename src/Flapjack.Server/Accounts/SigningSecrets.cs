using System.Security.Cryptography;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Accounts;

/// <summary>The secret that signs what the server sends for an organisation: its own, else the server's <c>TOOL_HMAC_SECRET</c>.</summary>
internal sealed class SigningSecrets(Databases databases, ServerSecrets server, SecretBox box, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(2);
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    /// <summary>The secret for a request that is about to be sent. What was read holds for two seconds, and no longer than until this node rotates it.</summary>
    public async ValueTask<string> ForRequestAsync(Guid orgId, CancellationToken cancellationToken)
    {
        if (_known.Get(orgId) is Known known && known.Until > time.GetUtcNow()) return known.Secret;
        var secret = (await ReadAsync(orgId, cancellationToken)).Secret;
        _known.Set(orgId, new Known(secret, time.GetUtcNow() + Believed), new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromMinutes(1) });
        return secret;
    }

    /// <summary>The secret to sign with, and where it comes from.</summary>
    public async Task<SigningSecret> ReadAsync(Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        var row = await db.Organisations.Where(o => o.Id == orgId).Select(o => new { o.SigningSecret, o.SigningSecretRotatedAt }).FirstAsync(cancellationToken);
        return row.SigningSecret is { } sealedSecret ? new(box.Open(sealedSecret, Place(orgId)), true, row.SigningSecretRotatedAt) : new(server.ToolHmacSecret, false, null);
    }

    /// <summary>Gives the organisation a new secret of its own: <paramref name="secret"/>, or a random one.</summary>
    public async Task<SigningSecret> RotateAsync(Guid orgId, string? secret, CancellationToken cancellationToken)
    {
        secret ??= "whsec_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await using var db = databases.OpenForServer();
        var org = await db.Organisations.FirstAsync(o => o.Id == orgId, cancellationToken);
        (org.SigningSecret, org.SigningSecretRotatedAt) = (box.Seal(secret, Place(orgId)), time.Now());
        await db.SaveChangesAsync(cancellationToken);
        _known.Remove(orgId);
        return new(secret, true, org.SigningSecretRotatedAt);
    }

    public void Dispose() => _known.Dispose();

    private static string Place(Guid orgId) => $"{orgId}/organisations/{orgId}/signing_secret";

    private sealed record Known(string Secret, DateTimeOffset Until);
}

/// <summary>A signing secret, whether it is the organisation's own, and since when.</summary>
internal sealed record SigningSecret(string Secret, bool IsOwn, DateTime? RotatedAt)
{
    /// <summary>Enough to recognise the secret by and never more than a third of it.</summary>
    public string Prefix => Secret[..Math.Min(9, Secret.Length / 3)] + "…";
}
