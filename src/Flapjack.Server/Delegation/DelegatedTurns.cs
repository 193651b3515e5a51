using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Threads.Conversations;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Delegation;

/// <summary>Runs the turns of agents that are asked: so many for each turn that somebody started, however they nest. Depth alone bounds nothing, as each agent on the way may ask as often as it may call tools.</summary>
/// <remarks>Counted in memory: a turn that goes on elsewhere after a crash begins to count anew.</remarks>
internal sealed class DelegatedTurns(ChildTurns turns, ServerSettings settings) : IDisposable
{
    private readonly Lock _counting = new();
    private readonly MemoryCache _counts = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    /// <summary>Counts one more turn below another; says why there cannot be one.</summary>
    public string? RefusalBelow(Guid root)
    {
        lock (_counting)
        {
            var count = _counts.TryGetValue(root, out int before) ? before : 0;
            if (count >= settings.Turns.MaxDelegations) return $"All agents together have delegated {count} times for this message, the most they may. Do the task yourself or answer with what is known.";
            _counts.Set(root, count + 1, new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromDays(1) });
            return null;
        }
    }

    public Task<ChildAnswer> RunAsync(ChildTask task, Guid call, CancellationToken cancellationToken) => turns.RunAsync(task, call, cancellationToken);

    public void Dispose() => _counts.Dispose();
}
