using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Gives the events of an opened turn to the client: as a stream, or folded into one JSON answer.</summary>
internal sealed class TurnAnswer(TurnStreams streams)
{
    public async Task WriteAsync(HttpContext http, OpenedTurn opened)
    {
        if (opened.Stream)
        {
            await streams.WriteAsync(http, opened.Live, 0);
            return;
        }
        opened.Live.AddReader();
        try
        {
            await opened.Live.Ended.WaitAsync(http.RequestAborted);
        }
        finally
        {
            opened.Live.RemoveReader();
        }
        await WriteWholeAsync(http, opened.Live);
    }

    /// <summary>The JSON answer of a turn that has ended.</summary>
    public static async Task WriteWholeAsync(HttpContext http, LiveTurn live)
    {
        var events = live.Events().ToList();
        var (type, data) = events[^1];
        using var end = JsonDocument.Parse(data);
        if (type == "error") throw ErrorOf(end.RootElement);
        http.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter, new JsonWriterOptions { Encoder = WireJson.Responses.Encoder });
        json.WriteStartObject();
        if (type == "done")
        {
            foreach (var property in end.RootElement.EnumerateObject()) property.WriteTo(json);
        }
        else
        {
            json.WriteBoolean("ok", true);
            json.WritePropertyName("requires_action");
            end.RootElement.WriteTo(json);
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
            if (type is "meta" or "token" or "done" or "requires_action") continue;
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

    private static ApiException ErrorOf(JsonElement error)
    {
        var code = error.GetProperty("code").GetString()!;
        var status = code switch
        {
            "CONTEXT_TOO_LONG" or "OUTPUT_SCHEMA_MISMATCH" or "CONTENT_FILTERED" => 422,
            "TURN_TIMEOUT" => 504,
            "SERVER_SHUTDOWN" => 503,
            "UNAUTHORIZED" => 401,
            _ when code.StartsWith("MODEL_", StringComparison.Ordinal) => 502,
            _ => 500,
        };
        return new(status, code, error.TryGetProperty("detail", out var detail) ? detail.GetString() : null);
    }
}
