using System.Net;
using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Operations;

/// <summary>Who may read the metrics: with a token set, whoever has it; else this machine and the networks listed.</summary>
internal sealed class MetricsAccess(ServerSettings settings)
{
    private readonly byte[]? _token = settings.Metrics.Token is { } token ? Encoding.UTF8.GetBytes(token) : null;
    private readonly IPNetwork[] _networks = [.. settings.Metrics.AllowedNetworks.Select(n => IPNetwork.Parse(n))];

    /// <param name="authorization">The Authorization header.</param>
    /// <param name="address">The peer's address.</param>
    /// <param name="forwarded">True when a proxy on this machine passed the request on, so that its address says nothing.</param>
    public void Check(string authorization, IPAddress? address, bool forwarded)
    {
        if (_token is not null)
        {
            var sent = authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : "";
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), _token)) throw ApiException.Unauthorized("send Metrics:Token as 'Authorization: Bearer …'");
            return;
        }
        if (address is null || forwarded) throw ApiException.NotFound();
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (!IPAddress.IsLoopback(address) && !Array.Exists(_networks, n => n.Contains(address))) throw ApiException.NotFound();
    }
}
