using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>What agents have been given (configs, tools, servers), as this node remembers it, so that a turn reads none of it from the database.</summary>
/// <remarks>
/// An agent's row counts the changes of its equipment, and a turn reads that row anyway. What was loaded under one count holds until the count
/// is another, on every node. Whoever changes equipment calls <see cref="ChangedAsync(FlapjackDb, IQueryable{Guid}, CancellationToken)"/> in the same transaction.
/// </remarks>
internal sealed class AgentEquipment(Databases databases) : IDisposable
{
    private const int MaxEntries = 20_000;
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MaxEntries });

    /// <summary>Something of an agent. Loaded once a change; never change what is returned.</summary>
    /// <param name="request">Whose.</param>
    /// <param name="load">Reads it. It gets the agent's id and a context that sees only the agent's organisation.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <typeparam name="T">A type of its own for each thing that is loaded: it is part of the key.</typeparam>
    public async ValueTask<T> OfAsync<T>(EquipmentRequest request, Func<FlapjackDb, Guid, CancellationToken, Task<T>> load, CancellationToken cancellationToken) where T : class
    {
        var agentId = request.AgentId ?? throw new ArgumentException("Only agents have equipment.", nameof(request));
        var key = (typeof(T), agentId);
        if (_known.Get(key) is Entry known && known.Version == request.Version) return (T)known.Value;
        await using var db = databases.Open(request.OrgId);
        var value = await load(db, agentId, cancellationToken);
        _known.Set(key, new Entry(request.Version, value), new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromHours(1) });
        return value;
    }

    /// <summary>Says that the equipment of an agent changes with the caller's transaction.</summary>
    public static Task ChangedAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken) =>
        db.Agents.Where(a => a.Id == agentId).ExecuteUpdateAsync(set => set.SetProperty(a => a.Equipment, a => a.Equipment + 1), cancellationToken);

    /// <summary>Says that the equipment of several agents changes with the caller's transaction.</summary>
    public static Task ChangedAsync(FlapjackDb db, IQueryable<Guid> agentIds, CancellationToken cancellationToken) =>
        db.Agents.Where(a => agentIds.Contains(a.Id)).ExecuteUpdateAsync(set => set.SetProperty(a => a.Equipment, a => a.Equipment + 1), cancellationToken);

    public void Dispose() => _known.Dispose();

    private sealed record Entry(long Version, object Value);
}
