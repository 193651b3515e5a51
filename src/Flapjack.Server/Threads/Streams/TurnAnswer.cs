using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Gives the events of an opened turn to the client: as a stream, or folded into one JSON answer.</summary>
internal static class TurnAnswer
{
    public static async Task WriteAsync(ClientConnection client, OpenedTurn opened)
    {
        if (opened.Stream)
        {
            await client.SendAsync(opened.Live, 0);
            return;
        }
        await opened.Live.Ended.WaitAsync(client.Left);
        await WriteWholeAsync(client, opened.Live);
    }

    /// <summary>The JSON answer of a turn that has ended.</summary>
    public static async Task WriteWholeAsync(ClientConnection client, LiveTurn live)
    {
        var events = live.Events().ToList();
        var (type, data) = events[^1];
        using var end = JsonDocument.Parse(data);
        if (type == "error") throw Failure(end.RootElement.GetProperty("code").GetString()!, end.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString() : null);
        if (type is not ("done" or "requires_action")) throw TakenOver();
        await client.SendJsonAsync(json => Write(json, live, events, type, end.RootElement));
    }

    private static void Write(Utf8JsonWriter json, LiveTurn live, List<(string Type, ReadOnlyMemory<byte> Data)> events, string type, JsonElement end)
    {
        json.WriteStartObject();
        if (type == "done")
        {
            foreach (var property in end.EnumerateObject()) property.WriteTo(json);
        }
        else
        {
            json.WriteBoolean("ok", true);
            json.WritePropertyName("requires_action");
            end.WriteTo(json);
            json.WriteString("content", TextOf(events));
            json.WriteString("turnId", live.TurnId);
        }
        WriteToolEvents(json, events);
        json.WriteEndObject();
    }

    private static void WriteToolEvents(Utf8JsonWriter json, List<(string Type, ReadOnlyMemory<byte> Data)> events)
    {
        json.WriteStartArray("events");
        foreach (var (type, data) in events)
        {
            if (type is not ("tool_call" or "tool_executing" or "tool_result" or "custom" or "auth_challenge")) continue;
            json.WriteStartObject();
            json.WriteString("event", type);
            json.WritePropertyName("data");
            json.WriteRawValue(data.Span, skipInputValidation: true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string TextOf(List<(string Type, ReadOnlyMemory<byte> Data)> events)
    {
        var text = new System.Text.StringBuilder();
        foreach (var (type, data) in events)
        {
            if (type != "token") continue;
            using var token = JsonDocument.Parse(data);
            text.Append(token.RootElement.GetProperty("delta").GetString());
        }
        return text.ToString();
    }

    /// <summary>The answer when the stream broke off here and goes on elsewhere.</summary>
    public static ApiException TakenOver() => ApiException.Unavailable("another node took the turn over; its answer will stand among the thread's messages");

    /// <summary>The answer that stands for an <c>error</c> event.</summary>
    public static ApiException Failure(string code, string? detail)
    {
        var status = code switch
        {
            "CONTEXT_TOO_LONG" or "OUTPUT_SCHEMA_MISMATCH" or "CONTENT_FILTERED" => 422,
            "TURN_TIMEOUT" => 504,
            "SERVER_SHUTDOWN" => 503,
            "UNAUTHORIZED" => 401,
            _ when code.StartsWith("MODEL_", StringComparison.Ordinal) => 502,
            _ => 500,
        };
        return new(status, code, detail) { RetryAfter = status == 503 ? TimeSpan.FromSeconds(2) : null };
    }
}
