namespace Flapjack.Server.Knowledge.Chunking;

/// <summary>How many tokens a text has, without a tokenizer: each vendor has another, and limits here need no exact one.</summary>
/// <remarks>
/// Four characters of ASCII count as one token, and so do two of other alphabets and each Chinese, Japanese or Korean one. For English prose that is a few percent above what current tokenizers count.
/// The estimate of two texts put together is at most one more than their sum.
/// </remarks>
internal static class TokenEstimate
{
    // In quarters of a token, so that sums stay exact.
    public static int Of(ReadOnlySpan<char> text) => (QuartersOf(text) + 3) / 4;

    /// <summary>The length of the longest beginning that has at most so many tokens; never the half of a surrogate pair.</summary>
    public static int Fitting(ReadOnlySpan<char> text, int tokens)
    {
        var room = tokens * 4L;
        for (var i = 0; i < text.Length; i++)
        {
            if ((room -= QuartersOf(text[i])) < 0) return i > 0 && char.IsLowSurrogate(text[i]) ? i - 1 : i;
        }
        return text.Length;
    }

    private static int QuartersOf(ReadOnlySpan<char> text)
    {
        var quarters = 0;
        foreach (var c in text) quarters += QuartersOf(c);
        return quarters;
    }

    private static int QuartersOf(char c) => c switch
    {
        < '\u0080' => 1,
        < '\u1100' => 2,
        // Halves of a pair together make a character of up to two tokens.
        _ => 4,
    };
}
