using Flapjack.Server.Knowledge.Extraction;

namespace Flapjack.Server.Knowledge.Chunking;

/// <summary>Where a block may be cut.</summary>
internal static class Boundary
{
    /// <summary>The length of the beginning to cut off, of at most <paramref name="fitting"/>; 0 when there is no good place. <paramref name="anywhere"/>: between words, or within one.</summary>
    public static int Of(ReadOnlySpan<char> text, int fitting, BlockKind kind, bool anywhere)
    {
        if (fitting > 0)
        {
            var natural = kind switch
            {
                BlockKind.Paragraph => Math.Max(LineEnd(text, fitting), SentenceEnd(text, fitting)),
                BlockKind.List or BlockKind.Table => LineEnd(text, fitting),
                _ => 0,
            };
            if (natural > 0) return natural;
        }
        if (!anywhere) return 0;
        if (LineEnd(text, fitting) is > 0 and var line) return line;
        if (SentenceEnd(text, fitting) is > 0 and var sentence && kind != BlockKind.Code) return sentence;
        if (text[..Math.Min(fitting + 1, text.Length)].LastIndexOfAny(' ', '\t') is > 0 and var word) return word;
        // One character at least, and a pair is one.
        return Math.Max(fitting, text.Length > 1 && char.IsHighSurrogate(text[0]) ? 2 : 1);
    }

    /// <summary>The last sentences of a text, or its last words when even the last sentence has more than so many quarters of a token.</summary>
    public static string Tail(ReadOnlySpan<char> text, int quarters)
    {
        var start = text.Length;
        while (start > 0 && (quarters -= TokenEstimate.Quarters(text[(start - 1)..start])) >= 0) start--;
        if (start == 0) return text.Trim().ToString();
        if (start == text.Length) return "";
        for (var i = start; i < text.Length; i++)
        {
            if (text[i - 1] == '\n' || IsSentenceEnd(text, i - 1)) return text[i..].Trim().ToString();
        }
        var space = text[start..].IndexOfAny(' ', '\t');
        return space < 0 ? "" : text[(start + space)..].Trim().ToString();
    }

    private static int LineEnd(ReadOnlySpan<char> text, int fitting) => text[..Math.Min(fitting + 1, text.Length)].LastIndexOf('\n') is > 0 and var end && !text[..end].IsWhiteSpace() ? end : 0;

    private static int SentenceEnd(ReadOnlySpan<char> text, int fitting)
    {
        for (var i = Math.Min(fitting, text.Length) - 1; i > 0; i--)
        {
            if (IsSentenceEnd(text, i)) return i + 1;
        }
        return 0;
    }

    // Western sentences end before a space; "3.5" is no end.
    private static bool IsSentenceEnd(ReadOnlySpan<char> text, int at) => text[at] switch
    {
        '。' or '！' or '？' or '｡' => true,
        '.' or '!' or '?' or '…' or ':' or ';' => at + 1 < text.Length && char.IsWhiteSpace(text[at + 1]),
        '"' or '\'' or ')' or ']' or '”' or '»' => at > 0 && text[at - 1] is '.' or '!' or '?' && at + 1 < text.Length && char.IsWhiteSpace(text[at + 1]),
        _ => false,
    };
}
