using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Flapjack.Server.Files.Text;

namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>Text of documents whose character set may be told somewhere.</summary>
internal static partial class DocumentEncoding
{
    /// <summary>A byte order mark decides; then UTF-8 where it is valid, then what was declared, by the page itself too.</summary>
    public static string Decode(ReadOnlySpan<byte> content, string? declared, bool isHtml = false)
    {
        if (content is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0xEF, 0xBB, 0xBF, ..] || Utf8.IsValid(content)) return PlainText.Decode(content);
        var encoding = Find(declared) ?? (isHtml ? Find(InPage(content)) : null);
        return encoding is null or UTF8Encoding ? PlainText.Decode(content) : encoding.GetString(content).Replace('\0', '\uFFFD');
    }

    /// <summary>The same text in UTF-8.</summary>
    public static ReadOnlySpan<byte> AsUtf8(ReadOnlySpan<byte> content) =>
        Utf8.IsValid(content) ? content : Encoding.UTF8.GetBytes(PlainText.Decode(content));

    private static string? InPage(ReadOnlySpan<byte> content) =>
        Charset().Match(Encoding.Latin1.GetString(content[..Math.Min(content.Length, 1024)])) is { Success: true } match ? match.Groups[1].Value : null;

    private static Encoding? Find(string? name)
    {
        if (string.IsNullOrWhiteSpace(name)) return null;
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name.Trim('"', ' ')) ?? Encoding.GetEncoding(name.Trim('"', ' '));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex("""charset\s*=\s*["']?([\w\-]{2,40})""", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Charset();
}
