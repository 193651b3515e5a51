using System.Collections.Concurrent;
using System.Globalization;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Counts requests per caller and messages per organisation in windows of one minute, on this node.</summary>
internal sealed class RequestLimits(ServerSettings settings, TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, Window> _requests = new();
    private readonly ConcurrentDictionary<Guid, Window> _messages = new();

    public void CountRequest(HttpContext context, Caller caller) => Count(context, _requests, caller.Identity, settings.Limits.RequestsPerMinute);

    public void CountMessage(HttpContext context, Guid orgId) => Count(context, _messages, orgId, settings.Limits.MessagesPerMinute);

    private void Count(HttpContext context, ConcurrentDictionary<Guid, Window> windows, Guid key, int limit)
    {
        if (limit == 0) return;
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var (used, reset) = windows.GetOrAdd(key, static _ => new Window()).Count(now);
        var headers = context.Response.Headers;
        headers["X-RateLimit-Limit"] = Text(limit);
        headers["X-RateLimit-Remaining"] = Text(Math.Max(0, limit - used));
        headers["X-RateLimit-Reset"] = Text(reset);
        if (used > limit) throw new ApiException(429, "RATE_LIMITED", $"more than {limit} in a minute") { RetryAfter = TimeSpan.FromSeconds(reset) };
    }

    /// <summary>Forgets windows nobody used for a minute, so that the tables do not grow with every caller ever seen.</summary>
    public void Sweep()
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var table in (ConcurrentDictionary<Guid, Window>[])[_requests, _messages])
        {
            foreach (var (key, window) in table) if (window.IsOver(now)) table.TryRemove(key, out _);
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed class Window
    {
        private long _start;
        private int _used;

        public (int Used, long SecondsToReset) Count(long now)
        {
            lock (this)
            {
                if (now >= _start + 60) (_start, _used) = (now, 0);
                return (++_used, _start + 60 - now);
            }
        }

        public bool IsOver(long now) => now >= Volatile.Read(ref _start) + 60;
    }
}
