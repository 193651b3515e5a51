using System.Globalization;
using System.Net;

namespace Flapjack.Server.Platform.Egress;

/// <summary>What <c>Network:AllowedHosts</c> opens: <c>host</c>, <c>host:port</c>, <c>*.suffix</c>, a CIDR range, or the word <c>loopback</c>.</summary>
internal sealed class AllowedHosts
{
    private readonly HashSet<string> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _suffixes = [];
    private readonly List<NetworkRange> _ranges = [];
    private bool _loopback;

    public AllowedHosts(IEnumerable<string> entries)
    {
        foreach (var entry in entries) Add(entry.Trim());
    }

    /// <summary>Null when the entry has one of the forms; otherwise what is wrong with it.</summary>
    public static string? Fault(string entry)
    {
        var text = entry.Trim();
        if (text == "loopback" || NetworkRange.TryParse(text, out _)) return null;
        var name = text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : SplitPort(text).Host;
        return Uri.CheckHostName(name) != UriHostNameType.Unknown ? null : $"'{entry}' is not a host, host:port, *.suffix, CIDR range or the word loopback";
    }

    /// <summary>The host's name is listed, whatever its addresses are.</summary>
    public bool AllowsName(string host, int port)
    {
        var name = Plain(host);
        if (_hosts.Contains(name) || _hosts.Contains($"{name}:{port.ToString(CultureInfo.InvariantCulture)}")) return true;
        foreach (var suffix in _suffixes) if (name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    /// <summary>The address is listed.</summary>
    public bool AllowsAddress(IPAddress address, int port)
    {
        var plain = PublicAddresses.Unwrap(address);
        if (_loopback && IPAddress.IsLoopback(plain)) return true;
        foreach (var range in _ranges) if (range.Contains(plain) || range.Contains(address)) return true;
        return AllowsName(plain.ToString(), port);
    }

    /// <summary>Addresses that have to be https may be http when their host is listed.</summary>
    public bool AllowsScheme(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp
        && (AllowsName(address.IdnHost, address.Port) || _loopback && address.IsLoopback || IPAddress.TryParse(address.IdnHost, out var literal) && AllowsAddress(literal, address.Port));

    private void Add(string entry)
    {
        if (entry == "loopback") _loopback = true;
        else if (NetworkRange.TryParse(entry, out var range)) _ranges.Add(range);
        else if (entry.StartsWith("*.", StringComparison.Ordinal)) _suffixes.Add(entry[1..]);
        else
        {
            var (host, port) = SplitPort(entry);
            _hosts.Add(port is null ? Plain(host) : $"{Plain(host)}:{port}");
        }
    }

    /// <summary>One spelling for one host: no brackets, no trailing dot, addresses in their usual form.</summary>
    private static string Plain(string host)
    {
        var name = host.Trim('[', ']').TrimEnd('.');
        return IPAddress.TryParse(name, out var address) ? address.ToString() : name;
    }

    private static (string Host, string? Port) SplitPort(string entry)
    {
        var colon = entry.LastIndexOf(':');
        var bare6 = entry.Count(c => c == ':') > 1 && !entry.StartsWith('[');
        if (colon <= 0 || bare6 || entry.EndsWith(']')) return (entry, null);
        return ushort.TryParse(entry.AsSpan(colon + 1), NumberStyles.None, null, out var port) ? (entry[..colon], port.ToString(CultureInfo.InvariantCulture)) : (entry, null);
    }
}
