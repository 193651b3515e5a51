using System.Security.Cryptography;

namespace Flapjack.Server.Memory;

/// <summary>Numbers of new memories: rising with time on this node. Each millisecond begins at a place of the node's own choice, so that two nodes, or a node and its restart, do not meet.</summary>
internal sealed class MemoryNumbers(TimeProvider time)
{
    // 40 bits of milliseconds last until 2053.
    private const int BitsBelowMilliseconds = 23;
    private static readonly DateTime Epoch = new(2019, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly Lock _lock = new();
    private long _last;

    public long Next()
    {
        // The upper half of a millisecond is room to count on.
        var place = RandomNumberGenerator.GetInt32(1 << (BitsBelowMilliseconds - 1));
        lock (_lock)
        {
            var milliseconds = (time.GetUtcNow().UtcDateTime - Epoch).Ticks / TimeSpan.TicksPerMillisecond;
            var isNew = milliseconds > _last >> BitsBelowMilliseconds;
            return _last = isNew ? (milliseconds << BitsBelowMilliseconds) | (long)place : _last + 1;
        }
    }
}
