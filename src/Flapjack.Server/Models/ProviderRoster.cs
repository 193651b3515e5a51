using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Models;

/// <summary>Knows every organisation's providers without asking the database for each turn: what was read holds for two seconds, or until this node writes.</summary>
internal sealed partial class ProviderRoster(Databases databases, SecretBox secrets, ServerSettings settings, TimeProvider time, ILogger<ProviderRoster> logger)
{
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<Guid, Known> _known = new();
    private readonly Dictionary<string, ProviderAccess> _server = settings.Models.Providers.Values.ToDictionary(p => p.Name, ProviderAccess.Of, StringComparer.Ordinal);
    private long _writes;

    public ValueTask<OrgModels> OfAsync(Guid orgId, CancellationToken cancellationToken) =>
        _known.TryGetValue(orgId, out var known) && known.Until > time.GetUtcNow() ? new(known.Models) : new(LoadAsync(orgId, known, cancellationToken));

    /// <summary>Lets a write hold on this node at once.</summary>
    public void Forget(Guid orgId)
    {
        Interlocked.Increment(ref _writes);
        _known.TryRemove(orgId, out _);
    }

    private async Task<OrgModels> LoadAsync(Guid orgId, Known? last, CancellationToken cancellationToken)
    {
        var writes = Interlocked.Read(ref _writes);
        await using var db = databases.Open(orgId);
        var rows = await db.Providers.AsNoTracking().ToListAsync(cancellationToken);
        var version = string.Join('\n', rows.OrderBy(r => r.Provider, StringComparer.Ordinal).Select(r => $"{r.Provider} {r.UpdatedAt.Ticks} {r.ApiKey}"));
        // Unchanged rows keep their endpoints, and so the clients that belong to them.
        var models = last?.Version == version ? last.Models : Build(orgId, rows);
        if (_known.Count > 10_000) _known.Clear();
        // A row that was read before a write must not be believed after it.
        if (writes == Interlocked.Read(ref _writes)) _known[orgId] = new(models, version, time.GetUtcNow() + Believed);
        return models;
    }

    private OrgModels Build(Guid orgId, List<ProviderConfig> rows)
    {
        var providers = new Dictionary<string, ProviderAccess>(_server, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            providers[row.Provider] = ProviderAccess.Of(row, _server.GetValueOrDefault(row.Provider), Open(orgId, row, row.ApiKey, ProviderConfig.ApiKeyField), HeadersOf(orgId, row));
        }
        return new(providers);
    }

    /// <summary>The operator's providers.</summary>
    public IReadOnlyDictionary<string, ProviderAccess> Server => _server;

    private Dictionary<string, string> HeadersOf(Guid orgId, ProviderConfig row) =>
        Open(orgId, row, row.Headers, ProviderConfig.HeadersField) is { } json ? JsonSerializer.Deserialize<Dictionary<string, string>>(json)! : [];

    private string? Open(Guid orgId, ProviderConfig row, string? box, string field)
    {
        if (box is null) return null;
        try
        {
            return secrets.Open(box, ProviderConfig.Place(orgId, row.Provider, field));
        }
        catch (CryptographicException exception)
        {
            LogUnreadable(logger, exception, row.Provider, orgId);
            return null;
        }
    }

    private sealed record Known(OrgModels Models, string Version, DateTimeOffset Until);

    [LoggerMessage(1, LogLevel.Error, "The secrets of provider {Provider} of organisation {OrgId} cannot be read")]
    private static partial void LogUnreadable(ILogger logger, Exception exception, string provider, Guid orgId);
}
