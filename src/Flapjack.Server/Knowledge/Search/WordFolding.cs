using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>Words as search compares them: small letters, without accents, compatibility forms resolved. Scripts that write no spaces are taken in pairs of characters.</summary>
/// <remarks>Documents and questions pass through here alike, so both databases compare plain strings and agree.</remarks>
internal static class WordFolding
{
    /// <summary>What is longer is no word that anybody asks for.</summary>
    private const int Longest = 40;

    private static readonly Lazy<FrozenDictionary<char, string>> Forms = new(ReadForms);

    public static List<string> WordsOf(string text)
    {
        var words = new List<string>(text.Length / 6);
        var word = new StringBuilder();
        Rune? before = null;
        var isAlone = false;
        foreach (var rune in Plain(text).EnumerateRunes())
        {
            if (IsMark(rune)) continue;
            if (IsUnspaced(rune))
            {
                EndWord();
                if (before is { } first) words.Add($"{first}{rune}");
                (before, isAlone) = (rune, before is null);
                continue;
            }
            EndPairs();
            if (Rune.IsLetterOrDigit(rune)) word.Append(Rune.ToLowerInvariant(rune));
            else EndWord();
        }
        EndPairs();
        EndWord();
        return words;

        // A character that stands alone between others is a word by itself.
        void EndPairs()
        {
            if (isAlone && before is { } only) words.Add(only.ToString());
            (before, isAlone) = (null, false);
        }

        void EndWord()
        {
            if (word.Length > 0) words.Add(word.Length <= Longest ? word.ToString() : word.ToString(0, Longest));
            word.Clear();
        }
    }

    // Characters with accents and compatibility forms, and what is compared in their place. The runtime's own tables are not loaded here, since they would slow the start down.
    private static FrozenDictionary<char, string> ReadForms()
    {
        using var stream = typeof(WordFolding).Assembly.GetManifestResourceStream("folding.txt")!;
        using var reader = new StreamReader(stream);
        var forms = new Dictionary<char, string>();
        while (reader.ReadLine() is { } line)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            foreach (var form in line[(space + 1)..]) forms[form] = line[..space];
        }
        return forms.ToFrozenDictionary();
    }

    private static string Plain(string text)
    {
        if (Ascii.IsValid(text)) return text;
        var plain = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c >= 0x80 && Forms.Value.TryGetValue(c, out var form)) plain.Append(form);
            else plain.Append(c);
        }
        return plain.ToString();
    }

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.Format;

    // Han, kana and Thai to Khmer.
    private static bool IsUnspaced(Rune rune) => rune.Value is >= 0x3041 and <= 0x30FF or >= 0x3400 and <= 0x4DBF or >= 0x4E00 and <= 0x9FFF or >= 0x20000 and <= 0x323AF or >= 0x0E00 and <= 0x0EFF or >= 0x1780 and <= 0x17FF && Rune.IsLetter(rune);
}
