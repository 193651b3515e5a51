using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Prompts;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>Writes a request of Chat Completions, restricted to the members that compatible servers know.</summary>
internal readonly ref struct ChatCompletionsRequest(Utf8JsonWriter json, ModelEndpoint endpoint)
{
    private static readonly object Format = new();

    public void Write(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        json.WriteStartObject();
        json.WriteString("model", endpoint.ModelId);
        json.WriteBoolean("stream", true);
        json.WriteStartObject("stream_options");
        json.WriteBoolean("include_usage", true);
        json.WriteEndObject();
        if (options is not null)
        {
            WriteOptions(options);
            WriteTools(options);
        }
        json.WriteStartArray("messages");
        if (PromptParts.SystemText(messages, options) is { Length: > 0 } system)
        {
            WriteText("system", system);
        }
        foreach (var message in messages)
        {
            WriteMessage(message);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteOptions(ChatOptions options)
    {
        if (options.MaxOutputTokens is { } limit)
        {
            json.WriteNumber("max_tokens", limit);
        }
        if (endpoint.SupportsTemperature && options.Temperature is { } temperature)
        {
            json.WriteNumber("temperature", temperature);
        }
        if (endpoint.SupportsTemperature && options.TopP is { } topP)
        {
            json.WriteNumber("top_p", topP);
        }
        if (options.Seed is { } seed)
        {
            json.WriteNumber("seed", seed);
        }
        if (options.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("stop");
            foreach (var stop in stops)
            {
                json.WriteStringValue(stop);
            }
            json.WriteEndArray();
        }
        if (options.ResponseFormat is ChatResponseFormatJson format)
        {
            json.WriteStartObject("response_format");
            json.WriteString("type", format.Schema is null ? "json_object" : "json_schema");
            if (format.Schema is { } schema)
            {
                json.WriteStartObject("json_schema");
                OpenAIParts.WriteSchema(json, format, schema, options);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
    }

    private void WriteTools(ChatOptions options)
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
            json.WriteStartObject("function");
            OpenAIParts.WriteFunction(json, tool);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        OpenAIParts.WriteToolChoice(json, options.ToolMode, nested: true);
    }

    private void WriteMessage(ChatMessage message)
    {
        if (message is HistoryMessage known && message.Role != ChatRole.System)
        {
            SentMessages.Write(json, known, Format, WriteKnown);
        }
        else if (message.Role == ChatRole.User)
        {
            WriteUser(message);
        }
        else if (message.Role == ChatRole.Assistant)
        {
            WriteAssistant(message);
        }
        else if (message.Role == ChatRole.Tool)
        {
            foreach (var result in message.Contents.OfType<FunctionResultContent>())
            {
                json.WriteStartObject();
                json.WriteString("role", "tool");
                json.WriteString("tool_call_id", result.CallId);
                json.WriteString("content", PromptParts.ResultText(result));
                json.WriteEndObject();
            }
        }
    }

    private static void WriteKnown(Utf8JsonWriter json, HistoryMessage message)
    {
        json.WriteStartObject();
        json.WriteString("role", message.Role.Value);
        json.WriteString("content", message.Text);
        json.WriteEndObject();
    }

    private void WriteAssistant(ChatMessage message)
    {
        var text = message.Text;
        var calls = message.Contents.OfType<FunctionCallContent>();
        if (text.Length == 0 && !calls.Any())
        {
            return;
        }
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        // Present even when empty: some servers' templates fail on a missing member.
        json.WriteString("content", text);
        if (calls.Any())
        {
            json.WriteStartArray("tool_calls");
            foreach (var call in calls)
            {
                json.WriteStartObject();
                json.WriteString("id", call.CallId);
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                json.WriteString("name", call.Name);
                json.WriteString("arguments", PromptParts.ArgumentsJson(call));
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private void WriteUser(ChatMessage message)
    {
        // Many servers take parts only for models with vision, so plain text stays a string.
        if (message.Contents.All(content => content is TextContent))
        {
            WriteText("user", message.Text);
            return;
        }
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteStartArray("content");
        foreach (var content in message.Contents)
        {
            WritePart(content);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WritePart(AIContent content)
    {
        json.WriteStartObject();
        switch (content)
        {
            case DataContent data when data.HasTopLevelMediaType("image"):
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                OpenAIParts.WriteData(json, "url", data);
                json.WriteEndObject();
                break;
            case DataContent { MediaType: "application/pdf" } data:
                json.WriteString("type", "file");
                json.WriteStartObject("file");
                json.WriteString("filename", data.Name ?? "file.pdf");
                OpenAIParts.WriteData(json, "file_data", data);
                json.WriteEndObject();
                break;
            case UriContent uri when uri.HasTopLevelMediaType("image"):
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                json.WriteString("url", uri.Uri.AbsoluteUri);
                json.WriteEndObject();
                break;
            default:
                json.WriteString("type", "text");
                json.WriteString("text", content switch
                {
                    TextContent text => text.Text,
                    UriContent uri => uri.Uri.AbsoluteUri,
                    // This protocol takes no other documents.
                    DataContent data => PromptParts.Unreadable(data.Name, data.MediaType),
                    _ => "",
                });
                break;
        }
        json.WriteEndObject();
    }

    private void WriteText(string role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", text);
        json.WriteEndObject();
    }
}
