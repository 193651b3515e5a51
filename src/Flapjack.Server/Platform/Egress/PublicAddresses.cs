using System.Net;
using System.Net.Sockets;

namespace Flapjack.Server.Platform.Egress;

/// <summary>Which addresses belong to the public internet. Everything else is somebody's inside.</summary>
internal static class PublicAddresses
{
    // https://www.iana.org/assignments/iana-ipv4-special-registry, and Azure's metadata server, which has a public address.
    private static readonly NetworkRange[] Closed4 = Ranges(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4");

    private static readonly NetworkRange Global6 = NetworkRange.Parse("2000::/3");

    // https://www.iana.org/assignments/iana-ipv6-special-registry: protocol assignments with Teredo, documentation, 6to4.
    private static readonly NetworkRange[] Closed6 = Ranges("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

    private static readonly NetworkRange Translated = NetworkRange.Parse("64:ff9b::/96");

    public static bool Contains(IPAddress address)
    {
        var plain = Unwrap(address);
        if (plain.AddressFamily == AddressFamily.InterNetwork) return !In(Closed4, plain);
        return plain.AddressFamily == AddressFamily.InterNetworkV6 && Global6.Contains(plain) && !In(Closed6, plain);
    }

    /// <summary>The IPv4 address that an IPv6 one stands for: mapped (<c>::ffff:0:0/96</c>), or translated by the network (<c>64:ff9b::/96</c>).</summary>
    public static IPAddress Unwrap(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        return Translated.Contains(address) ? new IPAddress(address.GetAddressBytes().AsSpan(12)) : address;
    }

    private static bool In(NetworkRange[] ranges, IPAddress address)
    {
        foreach (var range in ranges) if (range.Contains(address)) return true;
        return false;
    }

    private static NetworkRange[] Ranges(params string[] texts) => Array.ConvertAll(texts, NetworkRange.Parse);
}
