using System.Buffers;
using System.Text.Json;
using Flapjack.Runtime.Prompts;

namespace Flapjack.Providers.Wire;

/// <summary>Writes messages of a history from the form they were sent in before.</summary>
internal static class SentMessages
{
    /// <summary>Writes one text message: a copy when it was sent in this format, anew otherwise.</summary>
    public static void Write(Utf8JsonWriter json, HistoryMessage message, object format, Action<Utf8JsonWriter, HistoryMessage> write)
    {
        if (message.Sent is not { } sent || !ReferenceEquals(sent.Format, format))
        {
            var buffer = new ArrayBufferWriter<byte>(message.Text.Length + 64);
            using (var own = new Utf8JsonWriter(buffer, json.Options)) write(own, message);
            message.Sent = sent = new(format, buffer.WrittenMemory);
        }
        json.WriteRawValue(sent.Json.Span, skipInputValidation: true);
    }
}
