using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Flapjack.Server.Memory.Recall;

/// <summary>How texts are compared by their words: small letters, without accents; scripts without spaces by pairs of characters.</summary>
internal static class MemoryWords
{
    private const int LongestWord = 40, FirstAccented = 'À';

    // The server carries no Unicode tables to take letters apart with, so those of Latin scripts stand here in their order.
    private const string Unaccented = "AAAAAAÆCEEEEIIIIÐNOOOOO×OUUUUYÞßaaaaaaæceeeeiiiiðnooooo÷ouuuuyþy"
        + "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiĲĳJjKkĸLlLlLlLlLlNnNnNnŉŊŋOoOoOoŒœRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

    // Words that most English sentences have. Other languages do without: a word that many memories have weighs little anyway.
    private static readonly FrozenSet<string> Common = FrozenSet.ToFrozenSet(
    [
        "a", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if", "in", "is", "it", "its",
        "me", "my", "of", "on", "or", "our", "please", "she", "should", "so", "that", "the", "their", "them", "then", "there", "they", "this", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why",
        "will", "with", "would", "you", "your",
    ], StringComparer.Ordinal);

    /// <summary>Every word, in order.</summary>
    public static List<string> Of(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        Rune? before = null;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark) continue;
            if (IsUnspaced(rune))
            {
                End();
                words.Add(before is { } first ? $"{first}{rune}" : rune.ToString());
                before = rune;
                continue;
            }
            before = null;
            if (Rune.IsLetterOrDigit(rune)) word.Append(Rune.ToLowerInvariant(Plain(rune)));
            // "user's" is one word.
            else if (rune.Value is not ('\'' or '’')) End();
        }
        End();
        return words;

        void End()
        {
            if (word.Length > 0) words.Add(word.Length <= LongestWord ? word.ToString() : word.ToString(0, LongestWord));
            word.Clear();
        }
    }

    /// <summary>The words that say something, each once, singular and plural as one; all when none does.</summary>
    public static HashSet<string> Telling(string text)
    {
        var words = Of(text);
        var telling = words.Where(word => !Common.Contains(word)).Select(Stem).ToHashSet(StringComparer.Ordinal);
        return telling.Count > 0 ? telling : [.. words];
    }

    /// <summary>A word as a number. It is another one for every agent, so that one index serves all and none finds what is not its own.</summary>
    public static long TermOf(Guid agentId, string word) => Hash($"{agentId} {word}");

    /// <summary>Equal for texts of equal words in one scope.</summary>
    public static long Fingerprint(MemoryScope scope, string text) => Hash($"{scope.Kind} {scope.Id} {string.Join(' ', Of(text) is { Count: > 0 } words ? words : [text])}");

    /// <summary>How alike two texts are, 0 to 1: which part of the longer one's words stays when one is rewritten as the other. Order counts, and so does a "not".</summary>
    public static double Similarity(string one, string other)
    {
        var (a, b) = (Of(one), Of(other));
        var longer = Math.Max(a.Count, b.Count);
        if (longer == 0) return one == other ? 1 : 0;
        var row = Enumerable.Range(0, b.Count + 1).ToArray();
        for (var i = 1; i <= a.Count; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Count; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? diagonal : 1 + Math.Min(diagonal, Math.Min(row[j], row[j - 1]));
                (diagonal, row[j]) = (row[j], cost);
            }
        }
        return 1 - (double)row[b.Count] / longer;
    }

    private static string Stem(string word) => word.Length > 3 && word[^1] == 's' && word[^2] != 's' ? word[..^1] : word;

    private static long Hash(string text) => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static Rune Plain(Rune rune) => rune.Value is >= FirstAccented and < FirstAccented + 192 ? new(Unaccented[rune.Value - FirstAccented]) : rune.Value is 'ё' or 'Ё' ? new('е') : rune;

    // Han, kana, Thai to Lao, Khmer.
    private static bool IsUnspaced(Rune rune) => rune.Value is >= 0x3041 and <= 0x30FF or >= 0x3400 and <= 0x9FFF or >= 0x20000 and <= 0x323AF or >= 0x0E00 and <= 0x0EFF or >= 0x1780 and <= 0x17FF;
}
