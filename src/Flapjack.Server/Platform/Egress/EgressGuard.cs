using System.Net;
using System.Net.Sockets;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Egress;

/// <summary>Keeps calls to addresses that users and models give out of the operator's network.</summary>
/// <remarks>
/// A URL's text proves nothing: names resolve to anything, numbers have many spellings, answers change between two questions. So a
/// connection resolves its host once, checks every address, and dials one of those it checked. The check when an address is saved
/// only spares its owner a failure later.
/// </remarks>
internal sealed class EgressGuard(ServerSettings settings, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    private const string Setting = "Network:AllowedHosts";
    private static readonly TimeSpan LongestLookup = TimeSpan.FromSeconds(5);
    private readonly AllowedHosts _allowed = new(settings.AllowedHosts);
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>What is wrong with an address that a user gave; null when calls to it would be made. A name that does not resolve now may later, so it passes.</summary>
    public async ValueTask<string?> RefusalAsync(string address, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || !address.StartsWith(uri.Scheme + "://", StringComparison.OrdinalIgnoreCase))
            return "must be an http or https address";
        if (uri.UserInfo.Length > 0) return "must not contain a user name or password";
        try
        {
            await ResolveAsync(uri.IdnHost, uri.Port, cancellationToken);
            return null;
        }
        catch (EgressRefusedException refused)
        {
            return refused.Message;
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Connects for an HTTP handler; see <see cref="NewHandler"/>.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await ResolveAsync(host, port, cancellationToken);
        for (var i = 0; ; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                // One dead address must not use up the time that the next one needs.
                if (i + 1 < addresses.Length) attempt.CancelAfter(TimeSpan.FromSeconds(3));
                await socket.ConnectAsync(new IPEndPoint(addresses[i], port), attempt.Token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception exception) when (i + 1 < addresses.Length && exception is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>A handler whose connections are checked. It follows no redirects: whoever does checks the next address by asking this handler again.</summary>
    public SocketsHttpHandler NewHandler() => new()
    {
        ConnectCallback = ConnectAsync,
        UseProxy = false,
        UseCookies = false,
        // Trace ids and baggage of the request being served are nobody else's business.
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    /// <summary>The addresses of a host, all of them checked.</summary>
    public async ValueTask<IPAddress[]> ResolveAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal)
            ? [literal]
            : await _resolve(host, cancellationToken).WaitAsync(LongestLookup, cancellationToken);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        if (_allowed.AllowsName(host, port)) return addresses;
        foreach (var address in addresses)
        {
            if (!PublicAddresses.Contains(address) && !_allowed.AllowsAddress(address, port))
                throw new EgressRefusedException($"the host '{host}' is not on the public internet; the operator can open it by adding '{host}' to {Setting}");
        }
        return addresses;
    }
}

/// <summary>A connection that the network rules forbid. The message names the setting and the host.</summary>
internal sealed class EgressRefusedException(string message) : Exception(message);
