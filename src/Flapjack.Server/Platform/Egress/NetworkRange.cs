using System.Net;
using System.Net.Sockets;

namespace Flapjack.Server.Platform.Egress;

/// <summary>A range of addresses, <c>address/bits</c>. Bits of the address beyond the prefix are ignored.</summary>
internal readonly struct NetworkRange
{
    private readonly byte[] _bytes;
    private readonly int _bits;

    private NetworkRange(byte[] bytes, int bits) => (_bytes, _bits) = (bytes, bits);

    public static bool TryParse(string text, out NetworkRange range)
    {
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var address) || !IsPlain(text.AsSpan(0, slash), address)) return false;
        var bytes = address.GetAddressBytes();
        if (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out var bits) || bits > bytes.Length * 8) return false;
        range = new(bytes, bits);
        return true;
    }

    public static NetworkRange Parse(string text) => TryParse(text, out var range) ? range : throw new FormatException($"'{text}' is not a network range.");

    public bool Contains(IPAddress address)
    {
        Span<byte> other = stackalloc byte[16];
        if (!address.TryWriteBytes(other, out var length) || length != _bytes.Length) return false;
        var whole = _bits / 8;
        if (!other[..whole].SequenceEqual(_bytes.AsSpan(0, whole))) return false;
        var rest = 8 - _bits % 8;
        return rest == 8 || other[whole] >> rest == _bytes[whole] >> rest;
    }

    // The framework also reads 10.1 and 0x0a.0.0.1; in a setting those are more likely slips than meant.
    private static bool IsPlain(ReadOnlySpan<char> text, IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 || text.Count('.') == 3;
}
