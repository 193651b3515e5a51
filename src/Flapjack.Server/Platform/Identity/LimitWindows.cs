using System.Collections.Concurrent;
using System.Globalization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Counts something per key in fixed windows of time, on this node.</summary>
internal sealed class LimitWindows<TKey>(TimeSpan length, string span, TimeProvider time) where TKey : notnull
{
    private const int MaxKeys = 200_000;
    private readonly ConcurrentDictionary<TKey, Window> _windows = new();
    private readonly long _seconds = (long)length.TotalSeconds;

    /// <summary>Counts one; 429 over the limit. A limit of 0 is none.</summary>
    /// <param name="context">Whose request counts.</param>
    /// <param name="key">What is counted by.</param>
    /// <param name="limit">How many a window takes.</param>
    /// <param name="isTold">The caller learns how many are left.</param>
    public void Count(HttpContext context, TKey key, int limit, bool isTold = true)
    {
        if (limit == 0) return;
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var (used, reset) = (_windows.TryGetValue(key, out var window) ? window : New(key)).Count(now, _seconds);
        if (isTold)
        {
            var headers = context.Response.Headers;
            headers["X-RateLimit-Limit"] = Text(limit);
            headers["X-RateLimit-Remaining"] = Text(Math.Max(0, limit - used));
            headers["X-RateLimit-Reset"] = Text(reset);
        }
        if (used > limit) throw new ApiException(429, "RATE_LIMITED", $"more than {limit} in {span}") { RetryAfter = TimeSpan.FromSeconds(reset) };
    }

    /// <summary>Forgets windows that are over, so that the table does not grow with every caller ever seen.</summary>
    public void Sweep()
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (key, window) in _windows) if (window.IsOver(now, _seconds)) _windows.TryRemove(key, out _);
    }

    // Looks at the size for new keys only: it takes every lock of the table.
    private Window New(TKey key)
    {
        // Rather begin to count anew than let strangers fill the memory.
        if (_windows.Count >= MaxKeys) _windows.Clear();
        return _windows.GetOrAdd(key, static _ => new Window());
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed class Window
    {
        private long _start;
        private int _used;

        public (int Used, long SecondsToReset) Count(long now, long seconds)
        {
            lock (this)
            {
                if (now >= _start + seconds) (_start, _used) = (now, 0);
                return (++_used, _start + seconds - now);
            }
        }

        public bool IsOver(long now, long seconds) => now >= Volatile.Read(ref _start) + seconds;
    }
}
