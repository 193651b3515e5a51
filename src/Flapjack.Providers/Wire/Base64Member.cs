using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Flapjack.Providers.Wire;

/// <summary>Bytes as text in a request, a piece at a time: as a whole they would take a third more than their size once more.</summary>
internal static class Base64Member
{
    // Without a rest by three, so that pieces join.
    private const int Piece = 48 * 1024;

    /// <summary>Writes a member whose text is a prefix and the bytes in base64.</summary>
    public static void Write(Utf8JsonWriter json, string name, string prefix, ReadOnlySpan<byte> bytes)
    {
        json.WritePropertyName(name);
        json.WriteStringValueSegment(Encoding.UTF8.GetBytes(prefix), isFinalSegment: false);
        var buffer = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(Piece));
        for (; ; bytes = bytes[Piece..])
        {
            var isLast = bytes.Length <= Piece;
            Base64.EncodeToUtf8(isLast ? bytes : bytes[..Piece], buffer, out _, out var written, isFinalBlock: true);
            json.WriteStringValueSegment(buffer.AsSpan(0, written), isLast);
            if (isLast)
            {
                break;
            }
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
