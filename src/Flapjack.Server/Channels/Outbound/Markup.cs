using System.Text;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Channels.Outbound;

/// <summary>Turns Markdown into what a provider knows: headings, lists, quotes, code, bold, italic, struck out, links. What is no markup stays as it is written, and nothing is left out.</summary>
internal abstract partial class Markup
{
    private const int MaxDepth = 8;

    public string Convert(string markdown)
    {
        var output = new StringBuilder(markdown.Length + 64);
        var code = (List<string>?)null;
        var language = "";
        var lines = markdown.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (code is null && Fences.Opens(lines[i]) && lines.AsSpan(i + 1).HasClosing())
            {
                (code, language) = ([], lines[i].Trim().Trim('`').Trim());
                if (!LanguageForm().IsMatch(language)) (code, language) = ([language], "");
                continue;
            }
            if (code is not null && !Fences.Closes(lines[i]))
            {
                code.Add(lines[i]);
                continue;
            }
            output.Append(code is null ? Line(lines[i]) : Block(string.Join('\n', code), language));
            code = null;
            if (i < lines.Length - 1) output.Append('\n');
        }
        return output.ToString();
    }

    /// <summary>Makes text safe that is no markup.</summary>
    protected abstract string Escape(string text);

    protected abstract string Bold(string inner);

    protected abstract string Italic(string inner);

    protected abstract string Struck(string inner);

    protected abstract string Code(string raw);

    protected abstract string Block(string raw, string language);

    protected abstract string Link(string inner, string address);

    protected abstract string Quote(string inner);

    private string Line(string line)
    {
        if (Heading().Match(line) is { Success: true } heading) return Bold(Inline(heading.Groups[1].Value.Trim('*'), 0));
        if (Bullet().Match(line) is { Success: true } bullet) return bullet.Groups[1].Value + "• " + Inline(bullet.Groups[2].Value, 0);
        if (Quoted().Match(line) is { Success: true } quote) return Quote(Inline(quote.Groups[1].Value, 0));
        return Inline(line, 0);
    }

    private string Inline(string text, int depth)
    {
        var (output, plain) = (new StringBuilder(text.Length + 16), new StringBuilder());
        for (var i = 0; i < text.Length;)
        {
            if (depth < MaxDepth && Span(text, i, depth) is { } span)
            {
                output.Append(Escape(plain.ToString())).Append(span.Text);
                plain.Clear();
                i = span.End;
                continue;
            }
            if (text[i] == '\\' && i + 1 < text.Length && "\\`*_{}[]()#+-.!~>|".Contains(text[i + 1], StringComparison.Ordinal)) i++;
            plain.Append(text[i++]);
        }
        return output.Append(Escape(plain.ToString())).ToString();
    }

    // The marked text that begins here; null when nothing does.
    private (string Text, int End)? Span(string text, int at, int depth) => text[at] switch
    {
        '`' => CodeSpan(text, at),
        '*' or '_' => Emphasis(text, at, depth),
        '~' when Marked(text, at, "~~") is { } end => (Struck(Inline(text[(at + 2)..end], depth + 1)), end + 2),
        '[' => LinkSpan(text, at, depth),
        _ => null,
    };

    private (string, int)? CodeSpan(string text, int at)
    {
        var run = 1;
        while (at + run < text.Length && text[at + run] == '`') run++;
        var end = text.IndexOf(new string('`', run), at + run, StringComparison.Ordinal);
        return end <= at + run ? null : (Code(text[(at + run)..end]), end + run);
    }

    private (string, int)? Emphasis(string text, int at, int depth)
    {
        var sign = text[at];
        // Names such as snake_case are no markup.
        if (sign == '_' && at > 0 && char.IsLetterOrDigit(text[at - 1])) return null;
        var two = new string(sign, 2);
        if (text.AsSpan(at).StartsWith(two)) return Marked(text, at, two) is { } end ? (Bold(Inline(text[(at + 2)..end], depth + 1)), end + 2) : null;
        return Marked(text, at, sign.ToString()) is { } close ? (Italic(Inline(text[(at + 1)..close], depth + 1)), close + 1) : null;
    }

    // Where the closing mark stands.
    private static int? Marked(string text, int at, string mark)
    {
        var start = at + mark.Length;
        if (!text.AsSpan(at).StartsWith(mark) || start >= text.Length || char.IsWhiteSpace(text[start]) || text[start] == mark[0]) return null;
        for (var end = start + 1; (end = text.IndexOf(mark, end, StringComparison.Ordinal)) > 0; end++)
        {
            if (char.IsWhiteSpace(text[end - 1]) || text[end - 1] == '\\') continue;
            var after = end + mark.Length;
            if (mark.Length == 1 && after < text.Length && text[after] == mark[0])
            {
                // Two of them end something else.
                end++;
                continue;
            }
            if (mark[0] == '_' && after < text.Length && char.IsLetterOrDigit(text[after])) continue;
            return end;
        }
        return null;
    }

    private (string, int)? LinkSpan(string text, int at, int depth)
    {
        if (LinkForm().Match(text, at) is not { Success: true } link || link.Index != at) return null;
        return (Link(Inline(link.Groups[1].Value, depth + 1), link.Groups[2].Value), at + link.Length);
    }

    [GeneratedRegex(@"^[A-Za-z0-9_+#.-]{0,30}\z")]
    private static partial Regex LanguageForm();

    [GeneratedRegex(@"^#{1,6}\s+(.*?)\s*#*\s*$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^(\s*)[-*+]\s+(\S.*)$")]
    private static partial Regex Bullet();

    [GeneratedRegex(@"^>\s?(.*)$")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\G\[([^\[\]\n]+)\]\(((?:https?://|mailto:|tel:)[^\s()<>|""]+)\)")]
    private static partial Regex LinkForm();
}

/// <summary>Lines that begin and end blocks of code.</summary>
internal static class Fences
{
    public const string Sign = "```";

    public static bool Opens(ReadOnlySpan<char> line) => line.TrimStart(' ').StartsWith(Sign) && !line.TrimStart(' ').TrimStart('`').Contains('`');

    public static bool Closes(ReadOnlySpan<char> line) => line.Trim() is { Length: >= 3 } signs && !signs.ContainsAnyExcept('`');

    public static bool HasClosing(this Span<string> lines)
    {
        foreach (var line in lines) if (Closes(line)) return true;
        return false;
    }

    /// <summary>True when a block of code is open at the end of a text.</summary>
    public static bool IsOpen(ReadOnlySpan<char> text)
    {
        var open = false;
        foreach (var line in text.EnumerateLines()) open = open ? !Closes(line) : Opens(line);
        return open;
    }
}
