using System.Text.Json;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>What an <c>llm</c> span shows of a call. Written after the call ended, never while it streams.</summary>
internal static class ModelTrace
{
    /// <summary>The messages no earlier span holds, as <c>{role, content, tool_calls?, tool_call_id?}</c>.</summary>
    public static JsonElement Input(IReadOnlyList<ChatMessage> messages, int known) => TraceValue.Of(writer =>
    {
        writer.WriteStartArray();
        for (var i = known; i < messages.Count; i++) WriteMessage(writer, messages[i]);
        writer.WriteEndArray();
    });

    /// <summary><c>{content, tool_calls, finish_reason}</c>.</summary>
    public static JsonElement Output(string text, IReadOnlyList<FunctionCallContent> calls, ChatFinishReason? finishReason) => TraceValue.Of(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("content", text);
        WriteCalls(writer, calls);
        writer.WriteString("finish_reason", finishReason?.Value);
        writer.WriteEndObject();
    });

    private static void WriteMessage(Utf8JsonWriter writer, ChatMessage message)
    {
        var calls = new List<FunctionCallContent>();
        var parts = new List<AIContent>();
        var results = false;
        foreach (var content in message.Contents)
        {
            if (content is FunctionCallContent call) calls.Add(call);
            else if (content is FunctionResultContent result) results = WriteResult(writer, message, result);
            else if (content is TextContent or DataContent or UriContent) parts.Add(content);
        }
        // Results stand for themselves, one object each; a message of nothing else has nothing to add.
        if (results && parts.Count == 0 && calls.Count == 0) return;
        writer.WriteStartObject();
        writer.WriteString("role", message.Role.Value);
        WriteParts(writer, parts);
        if (calls.Count > 0) WriteCalls(writer, calls);
        writer.WriteEndObject();
    }

    private static bool WriteResult(Utf8JsonWriter writer, ChatMessage message, FunctionResultContent result)
    {
        writer.WriteStartObject();
        writer.WriteString("role", message.Role.Value);
        writer.WriteString("tool_call_id", result.CallId);
        writer.WriteString("content", result.Result as string ?? JsonSerializer.Serialize(result.Result, JsonText.Compact));
        writer.WriteEndObject();
        return true;
    }

    private static void WriteParts(Utf8JsonWriter writer, List<AIContent> parts)
    {
        if (parts.TrueForAll(static part => part is TextContent))
        {
            writer.WriteString("content", string.Join("\n\n", parts));
            return;
        }
        writer.WriteStartArray("content");
        foreach (var part in parts) WritePart(writer, part);
        writer.WriteEndArray();
    }

    // Attachments are named, not copied: a trace is no file store.
    private static void WritePart(Utf8JsonWriter writer, AIContent part)
    {
        writer.WriteStartObject();
        switch (part)
        {
            case TextContent text:
                writer.WriteString("type", "text");
                writer.WriteString("text", text.Text);
                break;
            case DataContent data:
                writer.WriteString("type", "data");
                if (data.Name is not null) writer.WriteString("name", data.Name);
                writer.WriteString("media_type", data.MediaType);
                writer.WriteNumber("bytes", data.Data.Length);
                break;
            case UriContent uri:
                writer.WriteString("type", "uri");
                writer.WriteString("media_type", uri.MediaType);
                break;
        }
        writer.WriteEndObject();
    }

    private static void WriteCalls(Utf8JsonWriter writer, IReadOnlyList<FunctionCallContent> calls)
    {
        writer.WriteStartArray("tool_calls");
        foreach (var call in calls)
        {
            writer.WriteStartObject();
            writer.WriteString("id", call.CallId);
            writer.WriteString("name", call.Name);
            writer.WriteString("arguments", ToolCallArguments.TextOf(call));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
