using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Keys;

/// <summary>Recognises API keys. What it read is believed for five seconds, the time within which a revocation must hold on every node.</summary>
internal sealed class ApiKeyReader : ICredentialReader
{
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(4);
    private readonly Databases _databases;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly byte[] _pepper;
    private int _forgotten;

    public ApiKeyReader(Databases databases, ServerSecrets secrets, Revocations revocations, TimeProvider time)
    {
        (_databases, _time, _pepper) = (databases, time, Encoding.UTF8.GetBytes(secrets.KeyPepper));
        revocations.Revoked += Forget;
    }

    public bool Recognises(string token) => ApiKeyFormat.IsLiveKey(token);

    public string HashOf(string key) => Convert.ToHexStringLower(HMACSHA256.HashData(_pepper, Encoding.UTF8.GetBytes(key)));

    public async ValueTask<Caller?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var hash = HashOf(token);
        var now = _time.Now();
        if (!_known.TryGetValue(hash, out var known) || known.Until <= now)
        {
            var before = Volatile.Read(ref _forgotten);
            if (await LoadAsync(hash, now, cancellationToken) is not { } loaded) return null;
            if (_known.Count > 10_000) _known.Clear();
            _known[hash] = known = loaded;
            // A revocation between reading and remembering must not be outlived by what was read.
            if (before != Volatile.Read(ref _forgotten)) _known.TryRemove(hash, out _);
        }
        return known.ExpiresAt <= now ? null : known.Caller;
    }

    // A revocation, here or on another node, holds at once. They are rare, and what is known is little.
    private void Forget(Guid credentialId)
    {
        Interlocked.Increment(ref _forgotten);
        foreach (var (hash, known) in _known)
        {
            if (known.Caller.KeyId == credentialId) _known.TryRemove(hash, out _);
        }
    }

    public async Task<IReadOnlyList<Guid>> RevokedAmongAsync(IReadOnlyList<Guid> credentialIds, CancellationToken cancellationToken)
    {
        await using var db = _databases.OpenForServer();
        // Watched work belongs to any organisation.
        return await db.ApiKeys.IgnoreQueryFilters().Where(k => credentialIds.Contains(k.Id) && k.RevokedAt != null).Select(k => k.Id).ToListAsync(cancellationToken);
    }

    private async ValueTask<Known?> LoadAsync(string hash, DateTime now, CancellationToken cancellationToken)
    {
        await using var db = _databases.OpenForServer();
        var key = await db.ApiKeys.IgnoreQueryFilters().FirstOrDefaultAsync(k => k.Hash == hash, cancellationToken);
        if (key is null || key.RevokedAt is not null || key.ExpiresAt <= now) return null;
        if (key.LastUsedAt is not { } used || used < now.AddMinutes(-1))
        {
            key.LastUsedAt = now;
            await db.SaveChangesAsync(cancellationToken);
        }
        var scopes = key.ScopeList;
        var caller = new Caller
        {
            Kind = CallerKind.Key,
            OrgId = key.OrgId,
            KeyId = key.Id,
            Scopes = scopes is null || scopes.Contains(Scopes.All) ? null : scopes.ToHashSet(StringComparer.Ordinal),
        };
        return new(caller, now + Believed, key.ExpiresAt);
    }

    private sealed record Known(Caller Caller, DateTime Until, DateTime? ExpiresAt);
}
