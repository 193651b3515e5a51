using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Flapjack.Runtime.Turns;

/// <summary>Inputs and outputs of spans: JSON, replaced by <c>{"truncated":true,"preview":"…","bytes":n}</c> when it is too big to keep.</summary>
internal static class TraceValue
{
    public const int MaxBytes = 256 * 1024;
    private const int PreviewBytes = 16 * 1024;

    /// <summary>JSON as it is being written.</summary>
    public static JsonElement Of(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        JsonText.WriteTo(buffer, write);
        if (buffer.WrittenCount <= MaxBytes) return JsonText.Parse(buffer.WrittenMemory);
        // A cut inside a character leaves a replacement character at the end of the preview; nobody parses it.
        return Preview(Encoding.UTF8.GetString(buffer.WrittenSpan[..PreviewBytes]), buffer.WrittenCount);
    }

    /// <summary>A text whose JSON value is known; null = it is a plain string.</summary>
    public static JsonElement Cap(string text, JsonElement? json)
    {
        if (text.Length > MaxBytes / 3 && Encoding.UTF8.GetByteCount(text) is > MaxBytes and var bytes)
        {
            return Preview(JsonText.Head(text, PreviewBytes), bytes);
        }
        return json ?? JsonText.String(text);
    }

    private static JsonElement Preview(string head, int bytes) => JsonText.Element(writer =>
    {
        writer.WriteStartObject();
        writer.WriteBoolean("truncated", true);
        writer.WriteString("preview", head);
        writer.WriteNumber("bytes", bytes);
        writer.WriteEndObject();
    });
}
