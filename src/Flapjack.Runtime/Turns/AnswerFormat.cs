using System.Text.Json;
using Flapjack.Runtime.Schemas;

namespace Flapjack.Runtime.Turns;

/// <summary>What the answer of a turn has to be: one JSON value, perhaps of a schema.</summary>
public sealed class AnswerFormat
{
    private const string Fence = "```", FenceLanguage = "json";
    private readonly JsonSchema? _schema;

    private AnswerFormat(JsonSchema? schema) => _schema = schema;

    /// <summary>Any JSON value.</summary>
    public static AnswerFormat AnyJson { get; } = new(null);

    /// <summary>A JSON value that is valid against a schema.</summary>
    public static AnswerFormat Of(JsonElement schema) => new(JsonSchema.Parse(schema));

    /// <summary>The value of an answer that was accepted; null when the text is no JSON.</summary>
    public static JsonElement? ValueOf(string text) => JsonText.TryParse(text);

    internal AnswerCheck Check(string answer)
    {
        var text = answer.Trim();
        var value = JsonText.TryParse(text);
        if (value is null && Fenced(text) is { } inside) (text, value) = (inside, JsonText.TryParse(inside));
        if (value is not { } json) return new(text, null, [new("", "is not one valid JSON value")]);
        return new(text, json, _schema?.Validate(json).Errors ?? []);
    }

    // Models like to wrap JSON in a Markdown fence, some with a sentence around it.
    private static string? Fenced(string text)
    {
        var open = text.IndexOf(Fence, StringComparison.Ordinal);
        var close = text.LastIndexOf(Fence, StringComparison.Ordinal);
        if (open < 0 || close < open + Fence.Length) return null;
        var inside = text[(open + Fence.Length)..close];
        return (inside.StartsWith(FenceLanguage, StringComparison.OrdinalIgnoreCase) ? inside[FenceLanguage.Length..] : inside).Trim();
    }
}

/// <summary>How an answer met its format.</summary>
/// <param name="Text">The JSON text, without what stood around it.</param>
/// <param name="Value">Its value; null when it is no JSON.</param>
/// <param name="Mistakes">Empty when the answer may be told.</param>
internal sealed record AnswerCheck(string Text, JsonElement? Value, IReadOnlyList<SchemaError> Mistakes);
