using System.Text.RegularExpressions;
using Flapjack.Runtime.Prompts;

namespace Flapjack.Providers.Offline;

/// <summary>Answers a question with sentences of the prompt: knowledge and attached files first, then memories and earlier tool results, else an introduction.</summary>
internal static partial class OfflineAnswer
{
    private const int MaxSentences = 3;
    private const string Introduction =
        "I am flapjack-offline, a rule-based stand-in built into this server and not a language model. "
        + "Add an OpenAI or Anthropic API key, or a provider with an OpenAI-compatible base URL, and choose one of its models to talk to a real one.";

    /// <summary>Words every sentence has; sharing them says nothing.</summary>
    private static readonly HashSet<string> Common = new(StringComparer.Ordinal)
    {
        "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "how", "i", "if",
        "in", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "please", "she", "he", "should", "so", "tell", "that", "the", "their", "them", "then", "there",
        "they", "this", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
    };

    public static string To(string question, OfflinePrompt prompt)
    {
        var words = WordsOf(question);
        var knowledge = prompt.Sections.Concat(prompt.Attachments).SelectMany(section => Documents(section.Text))
            .SelectMany(document => Sentences(document.Text).Select(sentence => (sentence, $"{sentence} [{document.Title}]")));
        if (Best(knowledge, words) is { Length: > 0 } quoted)
        {
            return quoted;
        }
        var memories = prompt.Sections.Where(section => PromptSection.NameOf(section) == PromptSection.Memories)
            .SelectMany(section => Sentences(section.Text));
        var results = prompt.EarlierResults.Select(result => result.Text);
        return Best(memories.Concat(results).Select(text => (text, text)), words) is { Length: > 0 } recalled ? recalled : Introduction;
    }

    /// <summary>At most three candidates that share words with the question, those that share most first.</summary>
    private static string Best(IEnumerable<(string Searched, string Shown)> candidates, HashSet<string> words) =>
        string.Join('\n', candidates
            .Select(candidate => (candidate.Shown, Shared: WordsOf(candidate.Searched).Count(words.Contains)))
            .Where(candidate => candidate.Shared > 0)
            .OrderByDescending(candidate => candidate.Shared)
            .Select(candidate => candidate.Shown)
            .Distinct(StringComparer.Ordinal)
            .Take(MaxSentences));

    private static IEnumerable<(string Title, string Text)> Documents(string text)
    {
        for (var at = text.IndexOf(ReferenceBlock.DocumentOpen, StringComparison.Ordinal); at >= 0; at = text.IndexOf(ReferenceBlock.DocumentOpen, at, StringComparison.Ordinal))
        {
            var title = at + ReferenceBlock.DocumentOpen.Length;
            var titleEnd = text.IndexOf("\">", title, StringComparison.Ordinal);
            var end = titleEnd < 0 ? -1 : text.IndexOf(ReferenceBlock.DocumentClose, titleEnd, StringComparison.Ordinal);
            if (end < 0)
            {
                yield break;
            }
            yield return (text[title..titleEnd], text[(titleEnd + 2)..end]);
            at = end;
        }
    }

    private static IEnumerable<string> Sentences(string text) =>
        text.Split('\n').SelectMany(line => SentenceEnd().Split(line)).Select(sentence => sentence.Trim().TrimStart('-', '*', '#', ' ')).Where(sentence => sentence.Length > 0);

    private static HashSet<string> WordsOf(string text)
    {
        var words = new HashSet<string>(StringComparer.Ordinal);
        foreach (var match in Word().EnumerateMatches(text))
        {
            var word = text.Substring(match.Index, match.Length).ToLowerInvariant();
            if (!Common.Contains(word))
            {
                // One form for singular and plural is all the grammar this needs.
                words.Add(word.Length > 3 && word.EndsWith('s') ? word[..^1] : word);
            }
        }
        return words;
    }

    [GeneratedRegex(@"(?<=[.!?])\s+")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"[\p{L}\p{N}]+")]
    private static partial Regex Word();
}
