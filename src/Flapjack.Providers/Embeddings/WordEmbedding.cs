using System.Globalization;
using System.Text;

namespace Flapjack.Providers.Embeddings;

/// <summary>The embedding built into the server: words and their beginnings, hashed into a vector. It needs no network, and the same text always gives the same vector.</summary>
/// <remarks>It knows nothing of meaning: texts are near when they share words or word stems. It is for first steps and tests, as the offline model is.</remarks>
internal static class WordEmbedding
{
    public const int Dimensions = 384;

    /// <summary>Letters of a word's beginning that stand for its stem.</summary>
    private const int Stem = 5;

    public static EmbeddingAnswer Of(IReadOnlyList<string> texts)
    {
        var words = 0L;
        var vectors = new float[texts.Count][];
        for (var i = 0; i < vectors.Length; i++)
        {
            vectors[i] = VectorOf(texts[i], ref words);
        }
        return new(vectors, words);
    }

    private static float[] VectorOf(string text, ref long words)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in WordsOf(text))
        {
            words++;
            counts[word] = counts.GetValueOrDefault(word) + 1;
            if (word.Length > Stem)
            {
                var stem = word[..Stem] + "*";
                counts[stem] = counts.GetValueOrDefault(stem) + 1;
            }
        }
        var vector = new float[Dimensions];
        foreach (var (word, count) in counts)
        {
            // Long words say more than short ones, and a second mention less than the first.
            var weight = MathF.Sqrt(count) * MathF.Log2(1 + word.Length);
            var hash = HashOf(word);
            vector[(int)(hash % Dimensions)] += (hash >> 32 & 1) == 0 ? weight : -weight;
            vector[(int)((hash >> 16) % Dimensions)] += (hash >> 33 & 1) == 0 ? weight : -weight;
        }
        return UnitVector.Of(vector);
    }

    private static IEnumerable<string> WordsOf(string text)
    {
        var word = new StringBuilder();
        foreach (var c in text)
        {
            if (char.IsLetterOrDigit(c))
            {
                word.Append(char.ToLowerInvariant(c));
            }
            else if (word.Length > 0 && CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark)
            {
                yield return word.ToString();
                word.Clear();
            }
        }
        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }

    // FNV-1a with a last mix: the framework's own hash differs from process to process.
    private static ulong HashOf(string word)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in word)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }
        hash ^= hash >> 32;
        return hash * 0x9E3779B97F4A7C15UL;
    }
}
