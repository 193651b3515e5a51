using System.Net;
using System.Net.Sockets;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Http.Addresses;

/// <summary>The network address a request came from: the socket's, or what proxies of <c>Server:TrustedProxies</c> say in <c>X-Forwarded-For</c>.</summary>
internal sealed class ClientAddress(ServerSettings settings)
{
    private readonly NetworkRange[] _proxies = [.. settings.TrustedProxies.Select(NetworkRange.Parse)];

    /// <summary>Read from the right, where each proxy appends whom it heard: the first who is no proxy of ours is the client. What stands further left is the client's own word.</summary>
    public string Of(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address) return "";
        if (_proxies.Length == 0 || !IsProxy(address)) return address.ToString();
        var passed = string.Join(',', context.Request.Headers["X-Forwarded-For"].ToArray()).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        for (var i = passed.Length - 1; i >= 0 && IsProxy(address) && IPAddress.TryParse(passed[i], out var before); i--) address = before;
        return address.ToString();
    }

    /// <summary>What counts as one address where addresses are counted: one household or host owns a whole /64 of IPv6.</summary>
    public static string HouseholdOf(string address)
    {
        if (!IPAddress.TryParse(address, out var parsed)) return address;
        if (parsed.IsIPv4MappedToIPv6) parsed = parsed.MapToIPv4();
        return parsed.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexStringLower(parsed.GetAddressBytes().AsSpan(0, 8)) : parsed.ToString();
    }

    private bool IsProxy(IPAddress address)
    {
        var plain = PublicAddresses.Unwrap(address);
        foreach (var range in _proxies) if (range.Contains(plain)) return true;
        return false;
    }
}
