using System.Text;
using System.Text.Unicode;

namespace Flapjack.Server.Files.Text;

/// <summary>Text from bytes whose character set nobody told.</summary>
internal static class PlainText
{
    // What is no UTF-8 and has no byte order mark is nearly always this.
    private static readonly Encoding Western = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <summary>Decodes the beginning of a text; a character cut at its end is left out.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = bytes switch
        {
            [0xFF, 0xFE, .. var little] => Encoding.Unicode.GetString(little[..(little.Length & ~1)]),
            [0xFE, 0xFF, .. var big] => Encoding.BigEndianUnicode.GetString(big[..(big.Length & ~1)]),
            [0xEF, 0xBB, 0xBF, .. var marked] => Encoding.UTF8.GetString(WholeCharacters(marked)),
            _ when Utf8.IsValid(WholeCharacters(bytes)) => Encoding.UTF8.GetString(WholeCharacters(bytes)),
            _ => Western.GetString(bytes),
        };
        return text.Replace('\0', '\uFFFD');
    }

    private static ReadOnlySpan<byte> WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        // The last character's first byte says how many should follow.
        for (var back = 1; back <= Math.Min(3, bytes.Length); back++)
        {
            var b = bytes[^back];
            if ((b & 0xC0) == 0x80) continue;
            var length = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : b >= 0xC0 ? 2 : 1;
            return length > back ? bytes[..^back] : bytes;
        }
        return bytes;
    }
}
