using System.Collections.Concurrent;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.McpServer;

/// <summary>Clients that listen, outside of their requests, for what the server may have to say. It has nothing to say yet; the stream is kept open as the protocol allows. The end of a session may come to another node, which tells the others.</summary>
internal sealed class McpListeners
{
    private const string Topic = "mcp.ended";
    private readonly ConcurrentDictionary<Guid, EventLog> _open = new();
    private readonly Draining _draining;
    private readonly ISignals _signals;
    private readonly Databases _databases;
    private readonly TimeProvider _time;

    public McpListeners(Draining draining, ISignals signals, Databases databases, TimeProvider time)
    {
        (_draining, _signals, _databases, _time) = (draining, signals, databases, time);
        signals.On(Topic, signal => EndHere(Guid.ParseExact(signal.Body, "D")));
    }

    /// <summary>Keeps a stream open until the client leaves, its session is ended, it listens anew on this node, or the server stops.</summary>
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
            await using var stopping = _draining.Begun.UnsafeRegister(_ => End(log), null);
            // Whoever ended it since it was looked up could not see this stream yet.
            if (!await IsBegunAsync(sessionId, client.Left)) End(log);
            await client.StartEventsAsync();
            await client.SendAsync(log, 0, credential);
        }
        finally
        {
            _open.TryRemove(new(sessionId, log));
        }
    }

    /// <summary>The session has ended, wherever its client listens.</summary>
    public void End(Guid sessionId)
    {
        EndHere(sessionId);
        _signals.Broadcast(Topic, sessionId.ToString("D"));
    }

    private async Task<bool> IsBegunAsync(Guid sessionId, CancellationToken cancellationToken)
    {
        await using var db = _databases.OpenForServer();
        return await db.McpSessions.IgnoreQueryFilters().AnyAsync(s => s.Id == sessionId, cancellationToken);
    }

    private void EndHere(Guid sessionId)
    {
        if (_open.TryRemove(sessionId, out var log)) End(log);
    }

    private void End(EventLog log) => log.End(_time.Now());
}
