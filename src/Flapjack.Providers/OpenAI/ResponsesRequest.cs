using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Prompts;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>Writes a request of the Responses API.</summary>
internal readonly ref struct ResponsesRequest(Utf8JsonWriter json, ModelEndpoint endpoint)
{
    private static readonly object Format = new();

    public void Write(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        json.WriteStartObject();
        json.WriteString("model", endpoint.ModelId);
        json.WriteBoolean("stream", true);
        json.WriteBoolean("store", false);
        if (PromptParts.SystemText(messages, options) is { Length: > 0 } system)
        {
            json.WriteString("instructions", system);
        }
        WriteOptions(options);
        WriteTools(options);
        json.WriteStartArray("input");
        foreach (var message in messages)
        {
            if (message.Role != ChatRole.System)
            {
                WriteMessage(message);
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteOptions(ChatOptions? options)
    {
        if (endpoint.KeepsReasoning)
        {
            json.WriteStartArray("include");
            json.WriteStringValue("reasoning.encrypted_content");
            json.WriteEndArray();
        }
        if (options is null)
        {
            return;
        }
        if (options.MaxOutputTokens is { } limit)
        {
            json.WriteNumber("max_output_tokens", limit);
        }
        if (endpoint.SupportsTemperature && options.Temperature is { } temperature)
        {
            json.WriteNumber("temperature", temperature);
        }
        if (endpoint.SupportsTemperature && options.TopP is { } topP)
        {
            json.WriteNumber("top_p", topP);
        }
        var settings = ModelSettings.Of(options).OpenAI;
        if (!settings.Disabled && settings.PromptCacheKey is { } key)
        {
            json.WriteString("prompt_cache_key", key);
        }
        if (!settings.Disabled && settings.SafetyIdentifier is { } safety)
        {
            json.WriteString("safety_identifier", safety);
        }
        if (options.ResponseFormat is ChatResponseFormatJson format)
        {
            json.WriteStartObject("text");
            json.WriteStartObject("format");
            OpenAIParts.WriteFormat(json, format, options);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private void WriteTools(ChatOptions? options)
    {
        if (!PromptParts.Tools(options).Any())
        {
            return;
        }
        json.WriteStartArray("tools");
        foreach (var tool in PromptParts.Tools(options))
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            OpenAIParts.WriteFunction(json, tool);
            // The API defaults to strict, which refuses schemas with optional properties.
            json.WriteBoolean("strict", false);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        OpenAIParts.WriteToolChoice(json, options?.ToolMode, nested: false);
    }

    private void WriteMessage(ChatMessage message)
    {
        if (message is HistoryMessage known)
        {
            SentMessages.Write(json, known, Format, WriteKnown);
            return;
        }
        if (message.Role == ChatRole.User)
        {
            WriteUser(message);
            return;
        }
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextReasoningContent { ProtectedData: { } reasoning } when endpoint.KeepsReasoning && ReasoningItem.TryParse(reasoning, out var item):
                    item.Write(json);
                    break;
                case TextContent { Text.Length: > 0 } text:
                    json.WriteStartObject();
                    json.WriteString("role", "assistant");
                    json.WriteString("content", text.Text);
                    json.WriteEndObject();
                    break;
                case FunctionCallContent call:
                    json.WriteStartObject();
                    json.WriteString("type", "function_call");
                    json.WriteString("call_id", call.CallId);
                    json.WriteString("name", call.Name);
                    json.WriteString("arguments", PromptParts.ArgumentsJson(call));
                    json.WriteEndObject();
                    break;
                case FunctionResultContent result:
                    json.WriteStartObject();
                    json.WriteString("type", "function_call_output");
                    json.WriteString("call_id", result.CallId);
                    json.WriteString("output", PromptParts.ResultText(result));
                    json.WriteEndObject();
                    break;
            }
        }
    }

    private static void WriteKnown(Utf8JsonWriter json, HistoryMessage message)
    {
        json.WriteStartObject();
        json.WriteString("role", message.Role.Value);
        if (message.Role == ChatRole.User)
        {
            json.WriteStartArray("content");
            WriteText(json, message.Text);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("content", message.Text);
        }
        json.WriteEndObject();
    }

    private void WriteUser(ChatMessage message)
    {
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteStartArray("content");
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextContent text:
                    WriteText(json, text.Text);
                    break;
                case DataContent data when data.HasTopLevelMediaType("image"):
                    json.WriteStartObject();
                    json.WriteString("type", "input_image");
                    OpenAIParts.WriteData(json, "image_url", data);
                    json.WriteEndObject();
                    break;
                case DataContent data:
                    json.WriteStartObject();
                    json.WriteString("type", "input_file");
                    json.WriteString("filename", data.Name ?? "file");
                    OpenAIParts.WriteData(json, "file_data", data);
                    json.WriteEndObject();
                    break;
                case UriContent link:
                    var image = link.HasTopLevelMediaType("image");
                    json.WriteStartObject();
                    json.WriteString("type", image ? "input_image" : "input_file");
                    json.WriteString(image ? "image_url" : "file_url", link.Uri.AbsoluteUri);
                    json.WriteEndObject();
                    break;
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type", "input_text");
        json.WriteString("text", text);
        json.WriteEndObject();
    }
}
