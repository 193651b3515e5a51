namespace Flapjack.Server.Knowledge.Chunking;

/// <summary>How many tokens a text has, without a tokenizer: each vendor has another, and limits here need no exact one.</summary>
/// <remarks>
/// Four characters of ASCII count as one token, so do two of other alphabets and each Chinese, Japanese or Korean one; an emoji counts as two. For English prose that is a few percent above what current tokenizers count.
/// It is counted in quarters of a token, so that the parts of a text add up to the whole.
/// </remarks>
internal static class TokenEstimate
{
    public static int Of(ReadOnlySpan<char> text) => (Quarters(text) + 3) / 4;

    public static int Quarters(ReadOnlySpan<char> text)
    {
        var quarters = 0;
        foreach (var c in text) quarters += Quarters(c);
        return quarters;
    }

    /// <summary>The length of the longest beginning with at most so many quarters of a token; never the half of a surrogate pair.</summary>
    public static int Fitting(ReadOnlySpan<char> text, int quarters)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if ((quarters -= Quarters(text[i])) < 0) return i > 0 && char.IsHighSurrogate(text[i - 1]) ? i - 1 : i;
        }
        return text.Length;
    }

    private static int Quarters(char c) => c switch
    {
        < '\u0080' => 1,
        < '\u1100' => 2,
        // Halves of a pair included.
        _ => 4,
    };
}
