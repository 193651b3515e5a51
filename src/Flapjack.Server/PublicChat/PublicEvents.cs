using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.PublicChat;

/// <summary>The events of a turn as strangers may see them: with the same ids, without arguments and results of tools, usage and reasons of failures.</summary>
/// <param name="live">The turn.</param>
/// <param name="withDetails">Whether the chat shows what tools are given and answer.</param>
internal sealed class PublicEvents(LiveTurn live, bool withDetails) : IEventTranslation
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = WireJson.Responses.Encoder };
    private long _sequence = live.FirstSequence;

    public void Write(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output)
    {
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {live.TurnId:D}:{_sequence++}\nevent: {type}\ndata: "), output);
        if (IsTold(type)) output.Write(data.Span);
        else WriteRedacted(type, data, output);
        output.Write("\n\n"u8);
    }

    private bool IsTold(string type) => type switch
    {
        "done" or "error" => false,
        "tool_call" or "tool_result" or "client_event" => withDetails,
        _ => true,
    };

    private void WriteRedacted(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output)
    {
        using var document = JsonDocument.Parse(data);
        using var json = new Utf8JsonWriter(output, Writing);
        WriteObject(json, document.RootElement, type);
    }

    private void WriteObject(Utf8JsonWriter json, JsonElement source, string type)
    {
        json.WriteStartObject();
        foreach (var property in source.EnumerateObject())
        {
            switch (type, property.Name)
            {
                case ("done" or "error", "usage"):
                    break;
                case ("error", "detail") when !withDetails:
                    break;
                case ("tool_call", "tool"):
                    json.WritePropertyName(property.Name);
                    WriteObject(json, property.Value, "call");
                    break;
                case ("call", "arguments"):
                    json.WriteString(property.Name, "{}");
                    break;
                case ("tool_result", "result"):
                    json.WriteNull(property.Name);
                    break;
                // A server that reports progress says in it what it is doing.
                case ("client_event", "payload") when property.Value.ValueKind == JsonValueKind.Object:
                    json.WritePropertyName(property.Name);
                    WriteObject(json, property.Value, "payload");
                    break;
                case ("payload", "message"):
                    json.WriteNull(property.Name);
                    break;
                default:
                    property.WriteTo(json);
                    break;
            }
        }
        json.WriteEndObject();
    }
}
