using System.Collections.Concurrent;
using System.Text.Json;
using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.McpServer;

/// <summary>The calls of tools that run on this node, so that a client can cancel one. The cancellation may come to another node, which tells the others.</summary>
internal sealed class McpCalls
{
    private const string Topic = "mcp.cancelled";
    private const int LongestId = 500;
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new();
    private readonly ISignals _signals;

    public McpCalls(ISignals signals)
    {
        _signals = signals;
        signals.On(Topic, signal => CancelHere(signal.Body));
    }

    /// <summary>Notes a call until it is disposed of.</summary>
    public RunningCall Begin(Guid sessionId, JsonElement requestId) => new(_running, KeyOf(sessionId, requestId));

    /// <summary>Cancels a call wherever it runs.</summary>
    public void Cancel(Guid sessionId, JsonElement requestId)
    {
        var key = KeyOf(sessionId, requestId);
        if (!CancelHere(key) && key.Length < LongestId) _signals.Broadcast(Topic, key);
    }

    private bool CancelHere(string key)
    {
        if (!_running.TryGetValue(key, out var call)) return false;
        try
        {
            call.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended at this moment.
        }
        return true;
    }

    // As JSON: the number 1 and the text "1" are two requests, and control characters stay escaped.
    private static string KeyOf(Guid sessionId, JsonElement requestId) => $"{sessionId} {JsonSerializer.Serialize(requestId)}";

    internal sealed class RunningCall : IDisposable
    {
        private readonly ConcurrentDictionary<string, CancellationTokenSource> _running;
        private readonly string _key;
        private readonly CancellationTokenSource _cancellation = new();

        public RunningCall(ConcurrentDictionary<string, CancellationTokenSource> running, string key)
        {
            (_running, _key) = (running, key);
            running[key] = _cancellation;
        }

        public CancellationToken Cancelled => _cancellation.Token;

        public void Dispose()
        {
            _running.TryRemove(new(_key, _cancellation));
            _cancellation.Dispose();
        }
    }
}
