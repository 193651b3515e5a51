using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Platform.JsonRpc;

/// <summary>A request or notification of JSON-RPC 2.0.</summary>
/// <param name="Id">A text or number; null = a notification, which nobody answers.</param>
/// <param name="Method">What to do; empty for an answer, which a peer sends to a request of ours.</param>
/// <param name="Params">An object; empty when there were none.</param>
internal sealed record JsonRpcCall(JsonElement? Id, string Method, JsonElement Params)
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    public bool IsNotification => Id is null;

    /// <summary>The message in a body. Throws a <see cref="JsonRpcException"/> for anything that is none.</summary>
    public static JsonRpcCall Parse(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object || message.Text("jsonrpc") != "2.0") throw new JsonRpcException(JsonRpcErrors.InvalidRequest, "the message is not a JSON-RPC 2.0 object");
        var id = message.TryGetProperty("id", out var given) && given.ValueKind is JsonValueKind.String or JsonValueKind.Number ? given : (JsonElement?)null;
        if (message.Text("method") is not { } method)
        {
            if (message.TryGetProperty("result", out _) || message.TryGetProperty("error", out _)) return new(null, "", Nothing);
            throw new JsonRpcException(JsonRpcErrors.InvalidRequest, "method is required") { Id = id };
        }
        if (!message.TryGetProperty("params", out var parameters) || parameters.ValueKind == JsonValueKind.Null) parameters = Nothing;
        if (parameters.ValueKind != JsonValueKind.Object) throw new JsonRpcException(JsonRpcErrors.InvalidParams, "params must be an object") { Id = id };
        return new(id, method, parameters);
    }

    /// <summary>A body as JSON.</summary>
    public static JsonElement ParseBody(ReadOnlyMemory<byte> body)
    {
        try
        {
            // Read through the common door, which knows broken UTF-8; it takes objects, and everything else is looked at here.
            return body.Span.TrimStart(" \t\r\n"u8).StartsWith("["u8) ? JsonElement.Parse(body.Span) : JsonSerializer.SerializeToElement(RequestBytes.Parse<Dictionary<string, JsonElement>>(body.Span));
        }
        catch (Exception fault) when (fault is JsonException or ApiException)
        {
            throw new JsonRpcException(JsonRpcErrors.ParseError, "the body is not valid JSON in UTF-8");
        }
    }
}

/// <summary>Codes of JSON-RPC 2.0.</summary>
internal static class JsonRpcErrors
{
    public const int ParseError = -32700, InvalidRequest = -32600, MethodNotFound = -32601, InvalidParams = -32602, InternalError = -32603, ServerError = -32000;
}

/// <summary>A failure that is answered with an error object of JSON-RPC.</summary>
/// <param name="code">Of the protocol.</param>
/// <param name="message">For people.</param>
/// <param name="reason">A code of this server's own, for <c>data.error</c>.</param>
internal sealed class JsonRpcException(int code, string message, string? reason = null) : Exception(message)
{
    public int Code => code;

    public string? Reason => reason;

    /// <summary>The request that failed, as far as it is known.</summary>
    public JsonElement? Id { get; init; }
}
