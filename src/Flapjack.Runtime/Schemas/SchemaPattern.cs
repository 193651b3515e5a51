using System.Text;
using System.Text.RegularExpressions;

namespace Flapjack.Runtime.Schemas;

/// <summary>Patterns as ECMA-262 reads them, on an engine whose time is linear in the text.</summary>
internal static class SchemaPattern
{
    private const int MaxLength = 2_000;

    /// <summary>Null when the engine cannot run the pattern: look-around, back references, mistakes.</summary>
    public static Regex? TryCompile(string pattern)
    {
        if (pattern.Length > MaxLength) return null;
        try
        {
            return new(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    // ECMA's classes are ASCII and its $ is the very end; .NET's are neither.
    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length) text.Append(Escape(pattern[++i], inClass));
            else if (c == '$' && !inClass) text.Append(@"\z");
            else
            {
                inClass = c == '[' || (inClass && c != ']');
                text.Append(c);
            }
        }
        return text.Replace(@"\p{Letter}", @"\p{L}").ToString();
    }

    private static string Escape(char c, bool inClass) => (c, inClass) switch
    {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('w', false) => "[A-Za-z0-9_]",
        ('w', true) => "A-Za-z0-9_",
        ('D', false) => "[^0-9]",
        ('W', false) => "[^A-Za-z0-9_]",
        _ => $"\\{c}",
    };
}
