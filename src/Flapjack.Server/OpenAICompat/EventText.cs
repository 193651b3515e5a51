using System.Buffers;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Writes server-sent events as OpenAI's API has them: without ids, named only where the protocol names them.</summary>
internal static class EventText
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = WireJson.Responses.Encoder };

    /// <summary>One event with a JSON object.</summary>
    public static void Write(IBufferWriter<byte> output, string? name, Action<Utf8JsonWriter> write)
    {
        if (name is not null) Encoding.ASCII.GetBytes($"event: {name}\n", output);
        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output, Writing)) write(json);
        output.Write("\n\n"u8);
    }

    public static void Write<T>(IBufferWriter<byte> output, T value) => Write(output, null, json => JsonSerializer.Serialize(json, value, WireJson.Responses));

    /// <summary>A comment, which clients pass over. Of what happens between texts it says only that something does.</summary>
    public static void Comment(IBufferWriter<byte> output, string type, ReadOnlyMemory<byte> data)
    {
        using var json = JsonDocument.Parse(data);
        var root = json.RootElement;
        var name = root.Text("tool_name") ?? root.Text("toolName") ?? root.Text("kind") ?? (root.TryGetProperty("tool", out var tool) ? tool.Text("name") : null);
        Encoding.UTF8.GetBytes($": {type} {name?.ReplaceLineEndings(" ")}\n\n", output);
    }
}
