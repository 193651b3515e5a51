using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Platform.JsonRpc;

/// <summary>Writes answers and notifications of JSON-RPC. Both protocols that speak it here are camelCase and leave out what is not there.</summary>
internal static class JsonRpcText
{
    public static readonly JsonSerializerOptions Wire = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void WriteResult(Utf8JsonWriter json, JsonElement id, object result)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        json.WritePropertyName("id");
        id.WriteTo(json);
        json.WritePropertyName("result");
        JsonSerializer.Serialize(json, result, Wire);
        json.WriteEndObject();
    }

    public static void WriteError(Utf8JsonWriter json, JsonElement? id, JsonRpcException fault)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        json.WritePropertyName("id");
        if (id is { } known) known.WriteTo(json);
        else json.WriteNullValue();
        json.WriteStartObject("error");
        json.WriteNumber("code", fault.Code);
        json.WriteString("message", fault.Message);
        if (fault.Reason is { } reason)
        {
            json.WriteStartObject("data");
            json.WriteString("error", reason);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteNotification(Utf8JsonWriter json, string method, object parameters)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        json.WriteString("method", method);
        json.WritePropertyName("params");
        JsonSerializer.Serialize(json, parameters, Wire);
        json.WriteEndObject();
    }

    /// <summary>One server-sent event with a message. Without an id: a stream that broke is not taken up again by it.</summary>
    public static void WriteEvent(IBufferWriter<byte> output, Action<Utf8JsonWriter> write)
    {
        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output, Writing)) write(json);
        output.Write("\n\n"u8);
    }
}

/// <summary>Failures of the server itself in the words of JSON-RPC.</summary>
internal static class JsonRpcFaults
{
    /// <summary>What a failure is to a JSON-RPC client. One that says the client must authenticate, wait or come back later keeps its HTTP status instead.</summary>
    public static JsonRpcException Of(ApiException fault) => fault.Status switch
    {
        401 or 403 or 429 or 503 => throw fault,
        400 or 404 or 413 or 415 or 422 => new(JsonRpcErrors.InvalidParams, fault.Detail ?? fault.Code, fault.Code),
        >= 500 and not (502 or 504) => new(JsonRpcErrors.InternalError, fault.Detail ?? fault.Code, fault.Code),
        _ => new(JsonRpcErrors.ServerError, fault.Detail ?? fault.Code, fault.Code),
    };
}
