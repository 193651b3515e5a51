using System.Collections.Concurrent;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Lifetime;

namespace Flapjack.Server.McpServer;

/// <summary>Clients that listen, outside of their requests, for what the server may have to say. It has nothing to say yet; the stream is kept open as the protocol allows.</summary>
internal sealed class McpListeners(Draining draining, TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, EventLog> _open = new();

    /// <summary>Keeps a stream open until the client leaves, its session ends, it listens anew, or the server stops.</summary>
    public async Task ListenAsync(Guid sessionId, ClientConnection client, Guid credential)
    {
        var log = new EventLog(sessionId, 1);
        _open.AddOrUpdate(sessionId, log, (_, earlier) =>
        {
            End(earlier);
            return log;
        });
        try
        {
            await using var stopping = draining.Begun.UnsafeRegister(_ => End(log), null);
            await client.StartEventsAsync();
            await client.SendAsync(log, 0, credential);
        }
        finally
        {
            _open.TryRemove(new(sessionId, log));
        }
    }

    /// <summary>The session has ended.</summary>
    public void End(Guid sessionId)
    {
        if (_open.TryRemove(sessionId, out var log)) End(log);
    }

    private void End(EventLog log) => log.End(time.Now());
}
