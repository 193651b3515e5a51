using Flapjack.Server.Platform;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>The open sessions of this node: one a server, shared by all calls, closed when nobody used it for a while.</summary>
internal sealed partial class McpConnections : IAsyncDisposable
{
    /// <summary>Sessions open at once. Programs cost memory each, so there are fewer of them.</summary>
    public const int MaxConnections = 256, MaxPrograms = 24;

    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);
    private readonly McpConnector _connector;
    private readonly TimeProvider _time;
    private readonly ILogger<McpConnections> _logger;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Slot> _slots = [];
    private readonly HashSet<Task> _closing = [];
    private bool _disposed;

    public McpConnections(McpConnector connector, TimeProvider time, ILogger<McpConnections> logger)
    {
        (_connector, _time, _logger) = (connector, time, logger);
        _timer = time.CreateTimer(_ => CloseIdle(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    /// <summary>A server says that its tools are others now. Told from any thread.</summary>
    public event Action<Guid>? ToolsChanged;

    /// <summary>Does something with a server's session, opening it when there is none. Work that the server refused because it had lost the session is done again in a new one. Whatever goes wrong is an <see cref="McpServerException"/>, except the caller's own cancellation.</summary>
    public async Task<T> UseAsync<T>(ServerAccess access, Func<McpConnection, CancellationToken, Task<T>> work, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, _time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        for (var attempt = 1; ; attempt++)
        {
            var (slot, isNew) = Rent(access);
            try
            {
                var connection = await slot.Opening.WaitAsync(ending.Token);
                return await work(connection, ending.Token);
            }
            catch (McpServerException fault)
            {
                // What failed may have left the session in any state; an error that the server told has not.
                if (!fault.Fault.IsAnswer) Drop(access.Id, slot);
                if (fault.SessionIsGone && !isNew && attempt == 1) continue;
                throw;
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                Drop(access.Id, slot);
                throw new McpServerException(new(McpFault.Timeout, $"no answer within {limit.TotalSeconds:0.###} s"), exception);
            }
            finally
            {
                Return(slot);
            }
        }
    }

    /// <summary>Ends the session with a server.</summary>
    public void Close(Guid serverId) => CloseWhere(slot => slot.Access.Id == serverId);

    /// <summary>Ends the session with a server unless it was made under this revision.</summary>
    public void CloseOthers(Guid serverId, int revision) => CloseWhere(slot => slot.Access.Id == serverId && slot.Access.Revision != revision);

    /// <summary>Ends the sessions of an organisation.</summary>
    public void CloseOrg(Guid orgId) => CloseWhere(slot => slot.Access.OrgId == orgId);

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        lock (_lock) _disposed = true;
        CloseWhere(_ => true);
        Task[] closing;
        lock (_lock) closing = [.. _closing];
        await Task.WhenAll(closing);
    }

    private (Slot Slot, bool IsNew) Rent(ServerAccess access)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_slots.TryGetValue(access.Id, out var known))
            {
                if (known.Access.Revision == access.Revision && !known.IsOver)
                {
                    known.Users++;
                    return (known, false);
                }
                Remove(known);
            }
            MakeRoom(access);
            var slot = new Slot(access, OpenAsync(access)) { Users = 1, LastUsed = _time.Now() };
            _slots[access.Id] = slot;
            return (slot, true);
        }
    }

    // Not with a caller's token: others may wait for the same session.
    private async Task<McpConnection> OpenAsync(ServerAccess access)
    {
        using var timeout = new CancellationTokenSource(McpConnector.Patience, _time);
        try
        {
            // Off the caller's lock.
            await Task.Yield();
            return await _connector.OpenAsync(access, () => ToolsChanged?.Invoke(access.Id), timeout.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new McpServerException(new(McpFault.Timeout, $"no session within {McpConnector.Patience.TotalSeconds:0} s"), exception);
        }
        catch (Exception exception) when (exception is not McpServerException)
        {
            // Whatever it is, such as credentials that no longer open: turns go on without this server.
            throw new McpServerException(McpFault.Of(exception), exception);
        }
    }

    private void Return(Slot slot)
    {
        lock (_lock)
        {
            slot.LastUsed = _time.Now();
            if (--slot.Users == 0 && slot.IsRemoved) Dispose(slot);
        }
    }

    private void Drop(Guid serverId, Slot slot)
    {
        lock (_lock) if (_slots.GetValueOrDefault(serverId) == slot) Remove(slot);
    }

    private void CloseIdle() => CloseWhere(slot => slot.Users == 0 && (slot.IsOver || _time.Now() - slot.LastUsed >= Idle));

    private void CloseWhere(Func<Slot, bool> which)
    {
        lock (_lock) foreach (var slot in _slots.Values.Where(which).ToList()) Remove(slot);
    }

    private void MakeRoom(ServerAccess access)
    {
        var isProgram = access.Transport == McpTransports.Stdio;
        var (others, most) = isProgram ? (_slots.Values.Where(slot => slot.IsProgram), MaxPrograms) : (_slots.Values, MaxConnections);
        var open = others.ToList();
        if (open.Count < most) return;
        Remove(open.Where(slot => slot.Users == 0).MinBy(slot => slot.LastUsed) ?? throw new McpServerException(new(McpFault.Connect, "too many sessions with MCP servers are in use")));
    }

    // What is removed ends when the last who uses it is done.
    private void Remove(Slot slot)
    {
        _slots.Remove(slot.Access.Id);
        slot.IsRemoved = true;
        if (slot.Users == 0 || _disposed) Dispose(slot);
    }

    private void Dispose(Slot slot)
    {
        if (slot.IsDisposed) return;
        slot.IsDisposed = true;
        var closing = CloseAsync(slot);
        _closing.Add(closing);
        _ = closing.ContinueWith(done => { lock (_lock) _closing.Remove(done); }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private async Task CloseAsync(Slot slot)
    {
        await Task.Yield();
        try
        {
            var connection = await slot.Opening;
            // A server that does not answer the goodbye is left behind.
            await connection.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (Exception exception)
        {
            if (slot.Opening.IsCompletedSuccessfully) LogClosing(_logger, exception, slot.Access.Id);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Closing the session with MCP server {Server} failed")]
    private static partial void LogClosing(ILogger logger, Exception exception, Guid server);

    private sealed class Slot(ServerAccess access, Task<McpConnection> opening)
    {
        public ServerAccess Access { get; } = access;
        public Task<McpConnection> Opening { get; } = opening;
        public int Users { get; set; }
        public DateTime LastUsed { get; set; }
        public bool IsRemoved { get; set; }
        public bool IsDisposed { get; set; }
        public bool IsProgram => Access.Transport == McpTransports.Stdio;
        public bool IsOver => Opening.IsFaulted || Opening.IsCompletedSuccessfully && Opening.GetAwaiter().GetResult().IsOver;
    }
}
