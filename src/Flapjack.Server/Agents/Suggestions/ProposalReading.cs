using System.Text.Json;
using Flapjack.Runtime.Models;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>Reads proposals out of a model's answer, which may be anything.</summary>
internal static class ProposalReading
{
    /// <summary>The proposals that can be stored, at most so many, none twice. Throws <see cref="ModelException"/> when the answer is no list of suggestions, or holds not one that can be used.</summary>
    /// <param name="answer">What the model said.</param>
    /// <param name="known">Titles that were suggested before.</param>
    /// <param name="most">How many were asked for.</param>
    public static IReadOnlyList<Proposal> Read(string answer, IReadOnlyList<string> known, int most)
    {
        try
        {
            using var document = JsonDocument.Parse(JsonIn(answer));
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } root || !root.TryGetProperty("suggestions", out var list) || list.ValueKind != JsonValueKind.Array) throw Useless();
            var read = list.EnumerateArray().Select(ProposalOf).OfType<Proposal>().ToList();
            if (read.Count == 0 && list.GetArrayLength() > 0) throw Useless();
            return [.. read.DistinctBy(p => p.Title, StringComparer.OrdinalIgnoreCase).Where(p => !known.Contains(p.Title, StringComparer.OrdinalIgnoreCase)).Take(most)];
        }
        catch (JsonException fault)
        {
            throw Useless(fault);
        }
    }

    // Models put words or a fence around it.
    private static ReadOnlyMemory<char> JsonIn(string answer)
    {
        var (start, end) = (answer.IndexOf('{', StringComparison.Ordinal), answer.LastIndexOf('}'));
        return start < 0 || end < start ? throw Useless() : answer.AsMemory(start, end - start + 1);
    }

    /// <summary>Null for one without a title or of an unknown category.</summary>
    private static Proposal? ProposalOf(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) return null;
        if (TextOf(item, "title", Suggestion.MaxTitle) is not { } title || NameOf(item, "category", Suggestion.Categories) is not { } category) return null;
        var patch = item.TryGetProperty("patch", out var proposed) ? SuggestionPatch.Kept(proposed) : null;
        return new(category, NameOf(item, "severity", Suggestion.Severities) ?? Suggestion.Medium, title, TextOf(item, "detail", Suggestion.MaxDetail), patch);
    }

    private static string? NameOf(JsonElement item, string field, string[] allowed) =>
        TextOf(item, field, 100) is { } text ? allowed.FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) : null;

    /// <summary>The field's text, cut; null when it has none that can be stored.</summary>
    private static string? TextOf(JsonElement item, string field, int length)
    {
        if (!item.TryGetProperty(field, out var value) || value.ValueKind != JsonValueKind.String) return null;
        try
        {
            // PostgreSQL cannot store U+0000.
            return value.GetString()!.Replace('\0', '\uFFFD').Trim() is { Length: > 0 } text ? text.Head(length) : null;
        }
        catch (InvalidOperationException)
        {
            // Half a character.
            return null;
        }
    }

    private static ModelException Useless(Exception? inner = null) => new(ModelErrors.SchemaMismatch, "The model did not answer with suggestions.", inner: inner);
}
