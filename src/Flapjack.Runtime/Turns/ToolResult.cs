using System.Text;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>The result of one call in its three forms: what the model reads, what the event carries, what the trace keeps.</summary>
/// <param name="Content">For the model: JSON text or plain text, at most <see cref="MaxContent"/> characters.</param>
/// <param name="Value">For the event: at most <see cref="MaxEventBytes"/>; a string when cut.</param>
/// <param name="Truncated">The event does not carry all of it.</param>
/// <param name="Error">The code the call failed with.</param>
/// <param name="Trace">For the span.</param>
internal sealed record ToolResult(string Content, JsonElement Value, bool Truncated, string? Error, JsonElement Trace)
{
    public const int MaxContent = 100_000;
    public const int MaxEventBytes = 64 * 1024;
    private const int MaxDetail = 4_000;

    public bool IsError => Error is not null;

    /// <summary>For models with vision, until the turn ends.</summary>
    public IReadOnlyList<DataContent> Images { get; init; } = [];

    /// <summary>The result for whatever a tool returned.</summary>
    public static ToolResult Of(object? value) => value switch
    {
        null => OfText("null", JsonText.TryParse("null")),
        string text => OfText(text, JsonText.TryParse(text)),
        TextContent content => Of(content.Text),
        ToolOutput output => Of(output.Value) with { Images = output.Images },
        JsonElement { ValueKind: JsonValueKind.Undefined } => Of(null),
        // A tool that says it is a string means a string; a text alone may be JSON.
        JsonElement { ValueKind: JsonValueKind.String } text => OfText(text.GetString()!, JsonText.String(text.GetString()!)),
        JsonElement json => OfText(json.GetRawText(), json.Clone()),
        _ => Of(JsonSerializer.SerializeToElement(value, JsonText.Compact)),
    };

    /// <summary>A result that was recorded in an earlier run of the turn.</summary>
    public static ToolResult Recorded(TurnCallResult result) => OfText(result.Content, JsonText.TryParse(result.Content)) with { Error = result.IsError ? ToolErrors.Failed : null };

    /// <summary><c>{"error":code,"detail":detail}</c>.</summary>
    public static ToolResult Failed(string code, string? detail) => OfError(code, "detail", Cut(detail, MaxDetail));

    /// <summary><c>{"error":"AUTH_REQUIRED","provider":"…"}</c>.</summary>
    public static ToolResult AuthRequired(AuthChallenge challenge) => OfError(ToolErrors.AuthRequired, "provider", challenge.Provider);

    private static ToolResult OfError(string code, string name, string? text)
    {
        var json = JsonText.Element(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("error", code);
            if (text is not null) writer.WriteString(name, text);
            writer.WriteEndObject();
        });
        return new(json.GetRawText(), json, false, code, json);
    }

    private static ToolResult OfText(string text, JsonElement? json)
    {
        var truncated = text.Length > MaxEventBytes / 3 && Encoding.UTF8.GetByteCount(text) > MaxEventBytes;
        var value = json is { } whole && !truncated ? whole : JsonText.String(truncated ? JsonText.Head(text, MaxEventBytes) : text);
        return new(Shorten(text), value, truncated, null, TraceValue.Cap(text, json ?? (truncated ? null : value)));
    }

    private static string Shorten(string text)
    {
        if (text.Length <= MaxContent) return text;
        var note = $"\n[cut: the result has {text.Length} characters]";
        return Cut(text, MaxContent - note.Length) + note;
    }

    private static string? Cut(string? text, int length)
    {
        if (text is null || text.Length <= length) return text;
        return text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
    }
}
