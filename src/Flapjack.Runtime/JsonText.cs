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

    /// <summary>The value of a JSON text; null when it is none.</summary>
    public static JsonElement? TryParse(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
        catch (ArgumentException)
        {
            // A lone surrogate has no UTF-8 form.
            return null;
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
