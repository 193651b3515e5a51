namespace Flapjack.Server.Channels.Outbound;

/// <summary>Cuts an answer into messages that a provider takes: between paragraphs where it can, else between lines, words, and at last anywhere but inside a character. A block of code that is cut ends and begins again.</summary>
internal static class MessageSplitter
{
    /// <param name="markdown">The answer.</param>
    /// <param name="most">Longest message, as it is sent.</param>
    /// <param name="convert">What is done with a piece before it is sent.</param>
    public static IReadOnlyList<string> Split(string markdown, int most, Func<string, string> convert)
    {
        var (pieces, rest) = (new List<string>(), markdown.ReplaceLineEndings("\n").Trim());
        while (rest.Length > 0 && !Fits(rest))
        {
            var at = CutOf(rest, LongestFit(rest));
            var head = rest[..at].TrimEnd();
            if (head.Length > 0) pieces.Add(Closed(head));
            rest = Fences.IsOpen(head) ? Reopened(rest[at..].TrimStart('\n')) : rest[at..].TrimStart();
        }
        if (rest.Length > 0) pieces.Add(Closed(rest));
        return pieces;

        bool Fits(string piece) => convert(Closed(piece)).Length <= most;

        // The longest beginning that fits; conversion only adds a few signs, so that this is nearly monotonic.
        int LongestFit(string text)
        {
            var (fits, tooLong) = (0, Math.Min(text.Length, most) + 1);
            while (tooLong - fits > 1)
            {
                var middle = (fits + tooLong) / 2;
                if (Fits(text[..middle])) fits = middle;
                else tooLong = middle;
            }
            return Math.Max(fits, 1);
        }
    }

    // A cut in the last half of what fits; a paragraph before a line, a line before a word.
    private static int CutOf(string text, int longest)
    {
        var least = Math.Max(longest / 2, Fences.Opens(text.AsSpan(0, Math.Min(text.Length, Fences.Sign.Length))) ? Fences.Sign.Length + 2 : 1);
        foreach (var boundary in (ReadOnlySpan<string>)["\n\n", "\n", " "])
        {
            var at = longest > least ? text.LastIndexOf(boundary, longest - 1, longest - least, StringComparison.Ordinal) : -1;
            if (at > 0) return at + boundary.Length;
        }
        return longest > 1 && char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest < text.Length && longest == 1 && char.IsHighSurrogate(text[0]) ? 2 : longest;
    }

    private static string Closed(string piece) => Fences.IsOpen(piece) ? $"{piece}\n{Fences.Sign}" : piece;

    private static string Reopened(string tail)
    {
        var end = tail.IndexOf('\n', StringComparison.Ordinal);
        // The block ended exactly here: its end is written already.
        if (Fences.Closes(end < 0 ? tail : tail[..end])) return end < 0 ? "" : tail[(end + 1)..].TrimStart('\n');
        return tail.Length == 0 ? "" : $"{Fences.Sign}\n{tail}";
    }
}
