using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Flapjack.Server.Tests.Processes;

/// <summary>A client that speaks HTTP/1.0 over a bare socket, so that it can be cut off at any byte.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly MemoryStream _read = new();

    private RawClient() { }

    /// <summary>Everything that arrived: status line, headers, body.</summary>
    public string Text => Encoding.UTF8.GetString(_read.GetBuffer(), 0, (int)_read.Length);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Sends a request; the key goes in behind its first line.</summary>
    public static async Task<RawClient> SendAsync(Uri server, string request)
    {
        var client = new RawClient();
        await client._socket.ConnectAsync(server.Host, server.Port, Token);
        await client._socket.SendAsync(Encoding.UTF8.GetBytes(request.Replace(" HTTP/1.0\r\n", $" HTTP/1.0\r\nHost: test\r\nAuthorization: Bearer {ServerFixture.ApiKey}\r\n", StringComparison.Ordinal)), Token);
        return client;
    }

    /// <summary>Reads so many bytes, or to the end, or until the text has come.</summary>
    public async Task ReadAsync(int atMost, string? until = null)
    {
        var buffer = new byte[4096];
        while (_read.Length < atMost && (until is null || !Text.Contains(until, StringComparison.Ordinal)))
        {
            var read = await _socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, atMost - (int)_read.Length)), Token);
            if (read == 0) return;
            _read.Write(buffer, 0, read);
        }
    }

    /// <summary>Leaves with a reset, or with a goodbye.</summary>
    public void Cut(bool isReset)
    {
        if (isReset) _socket.LingerState = new LingerOption(true, 0);
        else if (_socket.Connected) _socket.Shutdown(SocketShutdown.Both);
        _socket.Close();
    }

    /// <summary>The events that arrived whole.</summary>
    public IEnumerable<ServerEvent> Events()
    {
        var text = Text;
        var body = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (body < 0 || !text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal)) return [];
        var end = text.LastIndexOf("\n\n", StringComparison.Ordinal);
        return end < body + 4 ? [] : text[(body + 4)..end].Split("\n\n").Where(block => !block.StartsWith(':')).Select(Event);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _read.Dispose();
    }

    private static ServerEvent Event(string block)
    {
        string Line(string name) => block.Split('\n').First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..];
        return new(Line("id: "), Line("event: "), JsonDocument.Parse(Line("data: ")).RootElement);
    }
}
