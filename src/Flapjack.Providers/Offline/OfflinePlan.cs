using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Flapjack.Providers.Offline;

/// <summary>What the offline model does with a prompt; each line of the last user message is decided by the first rule it matches.</summary>
internal sealed class OfflinePlan
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A piece of the answer: a text, or numbers counted up to an end.</summary>
    private readonly record struct Piece(string Text, int CountTo = 0, TimeSpan Delay = default);

    private readonly List<Piece> pieces = [];

    private OfflinePlan() { }

    public TimeSpan? Think { get; private set; }
    public int? FailStatus { get; private set; }
    public List<(string Name, string Arguments)> Calls { get; } = [];

    public static OfflinePlan Of(OfflinePrompt prompt)
    {
        var plan = new OfflinePlan();
        if (prompt.Results.Count > 0)
        {
            foreach (var (tool, text) in prompt.Results)
            {
                plan.pieces.Add(new($"{tool} returned: {CompactJson(text)}"));
            }
            return plan;
        }
        var question = new StringBuilder();
        foreach (var line in prompt.UserText.Split('\n'))
        {
            if (!plan.TryDirective(line.TrimEnd(), prompt))
            {
                question.AppendLine(line);
            }
        }
        var asked = question.ToString().Trim();
        // Words beside a directive are remarks, not questions.
        if (plan.pieces.Count == 0 && plan.Calls.Count == 0 && (asked.Length > 0 || plan.Think is null))
        {
            plan.pieces.Add(new(OfflineAnswer.To(asked, prompt)));
        }
        return plan;
    }

    /// <summary>The answer token by token, each with the wait before it.</summary>
    public IEnumerable<(string Token, TimeSpan Delay)> Tokens()
    {
        for (var i = 0; i < pieces.Count; i++)
        {
            var lead = i == 0 ? "" : "\n";
            var (text, countTo, delay) = pieces[i];
            for (var number = 1; number <= countTo; number++)
            {
                yield return ((number == 1 ? lead : " ") + number.ToString(CultureInfo.InvariantCulture), number == 1 ? default : delay);
            }
            for (int start = 0, end; start < text.Length; start = end)
            {
                end = EndOfWord(text, start);
                yield return (start == 0 ? lead + text[..end] : text[start..end], default);
            }
            if (text.Length == 0 && countTo == 0 && lead.Length > 0)
            {
                yield return (lead, default);
            }
        }
    }

    private bool TryDirective(string line, OfflinePrompt prompt)
    {
        var (directive, rest) = Split(line);
        var (first, second) = Split(rest);
        switch (directive)
        {
            case "/tool" when first.Length > 0:
                Calls.Add((first, second.Length == 0 ? "{}" : second));
                return true;
            case "/echo":
                pieces.Add(new(rest));
                return true;
            case "/count" when Number(first) is { } end && (second.Length == 0 || Number(second) is not null):
                pieces.Add(new("", Math.Min(end, 100_000), TimeSpan.FromMilliseconds(Number(second) ?? 0)));
                return true;
            case "/json" when rest.Length > 0:
                pieces.Add(new(rest));
                return true;
            case "/think" when Number(first) is { } wait:
                Think = (Think ?? TimeSpan.Zero) + TimeSpan.FromMilliseconds(wait);
                return true;
            case "/fail" when Number(first) is { } status:
                FailStatus ??= status;
                return true;
            case "/history":
                pieces.Add(new(string.Join('\n', prompt.SectionNames.Prepend($"messages: {prompt.MessageCount}"))));
                return true;
            default:
                return false;
        }
    }

    private static (string Head, string Tail) Split(string text)
    {
        var blank = text.IndexOf(' ', StringComparison.Ordinal);
        return blank < 0 ? (text, "") : (text[..blank], text[(blank + 1)..]);
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string CompactJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return JsonSerializer.Serialize(document.RootElement, Compact);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    /// <summary>A token is a word with the blanks before it; blanks at the end of a text are one too.</summary>
    private static int EndOfWord(string text, int start)
    {
        while (start < text.Length && char.IsWhiteSpace(text[start]))
        {
            start++;
        }
        while (start < text.Length && !char.IsWhiteSpace(text[start]))
        {
            start++;
        }
        return start;
    }
}
