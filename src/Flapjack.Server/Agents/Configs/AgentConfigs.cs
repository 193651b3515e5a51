using System.Text.Json;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Configs;

/// <summary>Reads and changes the config sub-resources of agents. Each config brings its record, its contracts and two handlers; the rules they share are here.</summary>
/// <example><c>await configs.MergeAsync&lt;MultiplayerConfig&gt;(orgId, agentId, body.Value.ApplyTo, cancellationToken)</c></example>
internal sealed class AgentConfigs(Databases databases, AgentEquipment equipment, TimeProvider time)
{
    private const int MaxAttempts = 20;

    /// <summary>The config as it holds; all defaults when it was never saved.</summary>
    public async Task<SavedConfig<T>> ReadAsync<T>(Guid orgId, Guid agentId, CancellationToken cancellationToken) where T : class, IAgentConfig, new()
    {
        await using var db = databases.Open(orgId);
        return Of<T>(await Rows<T>(db).AsNoTracking().FirstOrDefaultAsync(c => c.AgentId == agentId, cancellationToken));
    }

    /// <summary>The config as it holds for a turn, from memory while nobody changed it. Fields that came with the message are on top; faults in them are left out.</summary>
    public async ValueTask<T> ForTurnAsync<T>(EquipmentRequest request, CancellationToken cancellationToken) where T : class, IAgentConfig, new()
    {
        var saved = request is { AgentId: not null, Version: > 0 }
            ? (await equipment.OfAsync(request, async (db, id, stop) => Of<T>(await Rows<T>(db).AsNoTracking().FirstOrDefaultAsync(c => c.AgentId == id, stop)), cancellationToken)).Value
            : new T();
        return request.Overrides.TryGetValue(T.Name, out var sent) ? ConfigFields.Over(saved, sent) : saved;
    }

    /// <summary>The same config of several agents; agents that never saved it are left out.</summary>
    public async Task<IReadOnlyDictionary<Guid, T>> ReadAllAsync<T>(Guid orgId, IReadOnlyCollection<Guid> agentIds, CancellationToken cancellationToken) where T : class, IAgentConfig, new()
    {
        if (agentIds.Count == 0) return new Dictionary<Guid, T>();
        await using var db = databases.Open(orgId);
        var rows = await Rows<T>(db).AsNoTracking().Where(c => agentIds.Contains(c.AgentId)).ToListAsync(cancellationToken);
        return rows.ToDictionary(row => row.AgentId, row => Of<T>(row).Value);
    }

    /// <summary>Changes what <paramref name="change"/> changes and leaves the rest. Called again when somebody else saved meanwhile; throws what it throws.</summary>
    /// <param name="orgId">The organisation.</param>
    /// <param name="agentId">Whose config.</param>
    /// <param name="change">Makes the new value of the saved one.</param>
    /// <param name="cancellationToken">Ends the change.</param>
    /// <param name="also">What else changes in the same transaction, which has the agent's row by then; null = nothing.</param>
    public async Task<SavedConfig<T>> MergeAsync<T>(Guid orgId, Guid agentId, Func<T, T> change, CancellationToken cancellationToken, Func<FlapjackDb, CancellationToken, Task>? also = null) where T : class, IAgentConfig, new()
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var db = databases.Open(orgId);
            var row = await Rows<T>(db).FirstOrDefaultAsync(c => c.AgentId == agentId, cancellationToken);
            var value = change(Of<T>(row).Value);
            var (text, now) = (JsonSerializer.Serialize(value, WireJson.Responses), time.Now());
            if (row is null)
            {
                db.AgentConfigs.Add(new() { OrgId = orgId, AgentId = agentId, Name = T.Name, Value = text, Version = 1, UpdatedAt = now });
            }
            else
            {
                (row.Value, row.Version, row.UpdatedAt) = (text, row.Version + 1, now);
            }
            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
                if (also is not null) await also(db, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return new(value, now);
            }
            catch (DbUpdateException fault) when (attempt < MaxAttempts && DatabaseFaults.IsConflict(fault))
            {
                // Somebody else saved this config this very moment: their fields stay, ours go on top.
            }
        }
    }

    private static IQueryable<AgentConfig> Rows<T>(FlapjackDb db) where T : IAgentConfig
    {
        var name = T.Name;
        return db.AgentConfigs.Where(c => c.Name == name);
    }

    private static SavedConfig<T> Of<T>(AgentConfig? row) where T : class, IAgentConfig, new() =>
        row is null ? new(new T(), null) : new(JsonSerializer.Deserialize<T>(row.Value, WireJson.Responses)!, row.UpdatedAt);
}
