using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Flapjack.Server.Tests.Processes;

/// <summary>Stands between a server and its database and can take the database away: its connections break, or it falls silent or slow.</summary>
internal sealed class DatabaseRelay : IAsyncDisposable
{
    private readonly string _host;
    private readonly int _port;
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private TcpListener? _listener;
    private TimeSpan _delay;
    private TaskCompletionSource _mayPass = Passing();

    public DatabaseRelay(string host, int port)
    {
        (_host, _port) = (host, port);
        Listen(KeptPort.Next());
    }

    public int Port { get; private set; }

    /// <summary>Every connection breaks and no new one is taken, as when the database has stopped.</summary>
    public void Stop()
    {
        _listener?.Stop();
        _listener = null;
        foreach (var socket in _open.Keys) socket.Close(0);
        _open.Clear();
    }

    /// <summary>Connections stay and new ones are taken, but nothing passes, as when the network loses packets.</summary>
    public void FallSilent() => _mayPass = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Everything passes, but takes this long each way.</summary>
    public void SlowDown(TimeSpan eachWay) => _delay = eachWay;

    /// <summary>The database is back.</summary>
    public void Resume()
    {
        _delay = TimeSpan.Zero;
        if (_listener is null) Listen(Port);
        _mayPass.TrySetResult();
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        _mayPass.TrySetResult();
        return ValueTask.CompletedTask;
    }

    private static TaskCompletionSource Passing()
    {
        var passing = new TaskCompletionSource();
        passing.SetResult();
        return passing;
    }

    private void Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _listener = listener;
        _ = AcceptAsync(listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true) _ = ServeAsync(await listener.AcceptSocketAsync());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        _open.TryAdd(client, 0);
        using var database = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _open.TryAdd(database, 0);
        try
        {
            await database.ConnectAsync(_host, _port);
            await Task.WhenAny(CopyAsync(client, database), CopyAsync(database, client));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // One side is gone; so is the other.
        }
        client.Close();
        _open.TryRemove(client, out _);
        _open.TryRemove(database, out _);
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                await _mayPass.Task;
                if (_delay > TimeSpan.Zero) await Task.Delay(_delay);
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // As above.
        }
    }
}
