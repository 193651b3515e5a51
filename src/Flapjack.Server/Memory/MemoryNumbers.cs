using System.Security.Cryptography;

namespace Flapjack.Server.Memory;

/// <summary>Numbers of new memories: rising with time on this node, and with ten bits of the node's own, so that two nodes do not meet.</summary>
internal sealed class MemoryNumbers(TimeProvider time)
{
    private const int NodeBits = 10;
    private readonly long _node = RandomNumberGenerator.GetInt32(1 << NodeBits);
    private readonly Lock _lock = new();
    private long _last;

    public long Next()
    {
        lock (_lock)
        {
            _last = Math.Max(_last + 1, (time.GetUtcNow().UtcDateTime - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            return (_last << NodeBits) | _node;
        }
    }
}
