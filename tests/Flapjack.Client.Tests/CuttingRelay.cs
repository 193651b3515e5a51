using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Flapjack.Client.Tests;

/// <summary>Stands between a client and the server, and breaks connections: on order, or after a number of bytes.</summary>
internal sealed class CuttingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private ConcurrentQueue<int> _plan = new();
    private Uri _target;
    private int _cuts;

    public CuttingRelay(Uri target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public int Cuts => _cuts;

    /// <summary>New connections break after so many bytes each; those after the last number stay.</summary>
    public void Plan(params IEnumerable<int> bytes) => (_plan, _cuts) = (new(bytes), 0);

    public void Lead(Uri target)
    {
        _target = target;
        CutAll();
    }

    public void CutAll()
    {
        foreach (var socket in _open.Keys) socket.Close(0);
    }

    public void Dispose()
    {
        _listener.Dispose();
        CutAll();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var left = _plan.TryDequeue(out var planned) ? planned : int.MaxValue;
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _open[client] = _open[server] = 0;
        try
        {
            await server.ConnectAsync(_target.Host, _target.Port);
            await Task.WhenAny(CopyAsync(client, server, int.MaxValue), CopyAsync(server, client, left));
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // One side is gone; so is the other.
        }
        client.Close();
        _open.TryRemove(client, out _);
        _open.TryRemove(server, out _);
    }

    private async Task CopyAsync(Socket from, Socket to, int left)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                var passed = Math.Min(read, left);
                for (var sent = 0; sent < passed;) sent += await to.SendAsync(buffer.AsMemory(sent, passed - sent));
                left -= left == int.MaxValue ? 0 : passed;
                if (left > 0) continue;
                Interlocked.Increment(ref _cuts);
                return;
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // As above.
        }
    }
}
