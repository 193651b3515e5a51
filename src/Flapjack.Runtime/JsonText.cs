using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime;

/// <summary>JSON written by hand. Nothing is escaped that JSON itself does not demand, since models pay for every character.</summary>
internal static class JsonText
{
    // Events put values inside objects, and readers commonly stop at a depth of 64.
    private const int MaxReadDepth = 60;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>How values of tools become JSON: names in camel case unless written otherwise, nulls kept, no white space.</summary>
    public static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false, DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    public static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteTo(buffer, write);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static JsonElement Element(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteTo(buffer, write);
        return Parse(buffer.WrittenMemory);
    }

    /// <summary>A JSON string.</summary>
    public static JsonElement String(string text) => Element(writer => writer.WriteStringValue(text));

    public static void WriteTo(ArrayBufferWriter<byte> buffer, Action<Utf8JsonWriter> write)
    {
        using var writer = new Utf8JsonWriter(buffer, Options);
        write(writer);
    }

    public static JsonElement Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8, new() { MaxDepth = 512 });
        return document.RootElement.Clone();
    }

    /// <summary>The value of a JSON text; null when it is none, and when half a character in it would make it fail as soon as it is written on.</summary>
    public static JsonElement? TryParse(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        try
        {
            using var document = JsonDocument.Parse(text, new() { MaxDepth = MaxReadDepth });
            return HasHalfCharacters(text) ? null : document.RootElement.Clone();
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            // The latter for half a character that is not escaped: it has no UTF-8 form.
            return null;
        }
    }

    private static bool HasHalfCharacters(string text)
    {
        if (!text.Contains(@"\ud", StringComparison.OrdinalIgnoreCase)) return false;
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
            }
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    /// <summary>The longest head of a text with at most <paramref name="bytes"/> bytes in UTF-8 that splits no character.</summary>
    public static string Head(string text, int bytes)
    {
        if (text.Length <= bytes / 3 || Encoding.UTF8.GetByteCount(text) <= bytes) return text;
        var target = new byte[bytes];
        Encoding.UTF8.GetEncoder().Convert(text, target, flush: false, out var used, out _, out _);
        if (used > 0 && char.IsHighSurrogate(text[used - 1])) used--;
        return text[..used];
    }
}
