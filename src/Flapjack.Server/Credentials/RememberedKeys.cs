using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Models;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Credentials;

/// <summary>Keys that may be used again for a while. They live in this process's memory and nowhere else; a changed config forgets them.</summary>
internal sealed class RememberedKeys(TimeProvider time) : IDisposable
{
    private readonly MemoryCache _keys = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    public ModelKey? Find(EquipmentRequest request, ModelChoice choice) => _keys.Get(Place.Of(request, choice)) is Entry entry && entry.Until > time.GetUtcNow() ? entry.Key : null;

    public void Keep(EquipmentRequest request, ModelChoice choice, ModelKey key, TimeSpan span) =>
        _keys.Set(Place.Of(request, choice), new Entry(key, time.GetUtcNow() + span), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = span });

    public void Forget(EquipmentRequest request, ModelChoice choice) => _keys.Remove(Place.Of(request, choice));

    public void Dispose() => _keys.Dispose();

    private sealed record Place(Guid? AgentId, long Version, string? UserId, string Provider, string Model)
    {
        public static Place Of(EquipmentRequest request, ModelChoice choice) => new(request.AgentId, request.Version, request.UserId, choice.Provider, choice.Id);
    }

    private sealed record Entry(ModelKey Key, DateTimeOffset Until);
}
