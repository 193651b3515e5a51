using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Prompts;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Anthropic;

/// <summary>Writes a request of the Messages API.</summary>
internal readonly ref struct MessagesRequest(Utf8JsonWriter json, ModelEndpoint endpoint, ChatOptions? options, int? thinkingBudget, AnthropicCompaction? compaction)
{
    /// <summary>The protocol demands a limit. Every Claude model since generation 4 allows this one.</summary>
    private const int DefaultMaxTokens = 32_000;

    private readonly AnthropicSettings settings = ModelSettings.Of(options).Anthropic;

    public void Write(IReadOnlyList<ChatMessage> messages)
    {
        json.WriteStartObject();
        json.WriteString("model", endpoint.ModelId);
        json.WriteBoolean("stream", true);
        WriteLimits();
        WriteTools(messages);
        WriteSystem(messages);
        WriteFormat();
        WriteCompaction();
        new MessagesHistory(json, thinkingBudget is not null, compaction is not null, settings).Write(messages);
        json.WriteEndObject();
    }

    private void WriteLimits()
    {
        var limit = options?.MaxOutputTokens ?? endpoint.MaxOutputTokens ?? DefaultMaxTokens;
        if (thinkingBudget is { } budget)
        {
            // The limit includes the budget and must exceed it.
            json.WriteNumber("max_tokens", limit > budget ? limit : budget + limit);
            json.WriteStartObject("thinking");
            json.WriteString("type", "enabled");
            json.WriteNumber("budget_tokens", budget);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNumber("max_tokens", limit);
            if (endpoint.SupportsTemperature && options?.Temperature is { } temperature)
            {
                // Agents may ask for up to 2, this protocol ends at 1.
                json.WriteNumber("temperature", Math.Min(temperature, 1f));
            }
            else if (endpoint.SupportsTemperature && options?.TopP is { } topP)
            {
                json.WriteNumber("top_p", topP);
            }
        }
        if (options?.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("stop_sequences");
            foreach (var stop in stops)
            {
                json.WriteStringValue(stop);
            }
            json.WriteEndArray();
        }
    }

    private void WriteTools(IReadOnlyList<ChatMessage> messages)
    {
        var tools = PromptParts.Tools(options).ToArray();
        if (tools.Length == 0)
        {
            WriteUsedTools(messages);
            return;
        }
        json.WriteStartArray("tools");
        for (var i = 0; i < tools.Length; i++)
        {
            json.WriteStartObject();
            json.WriteString("name", tools[i].Name);
            if (!string.IsNullOrEmpty(tools[i].Description))
            {
                json.WriteString("description", tools[i].Description);
            }
            json.WriteElement("input_schema", tools[i].JsonSchema);
            if (i == tools.Length - 1 && settings.CacheTools)
            {
                CacheBreakpoint.Write(json, settings);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteToolChoice();
    }

    /// <summary>A conversation with tool calls in it is refused when no tools are defined, so the last call of a turn, which must not use any, names those it has used.</summary>
    private void WriteUsedTools(IReadOnlyList<ChatMessage> messages)
    {
        var names = messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().Select(call => call.Name).Distinct(StringComparer.Ordinal).ToArray();
        if (names.Length == 0)
        {
            return;
        }
        json.WriteStartArray("tools");
        foreach (var name in names)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteRaw("input_schema", """{"type":"object"}""");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteChoice("none");
    }

    private void WriteToolChoice()
    {
        switch (options?.ToolMode)
        {
            case NoneChatToolMode:
                WriteChoice("none");
                break;
            // Thinking allows no forced calls.
            case RequiredChatToolMode required when thinkingBudget is null:
                WriteChoice(required.RequiredFunctionName is null ? "any" : "tool", required.RequiredFunctionName);
                break;
        }
    }

    private void WriteChoice(string type, string? name = null)
    {
        json.WriteStartObject("tool_choice");
        json.WriteString("type", type);
        if (name is not null)
        {
            json.WriteString("name", name);
        }
        json.WriteEndObject();
    }

    /// <summary>Two blocks: what stays the same from message to message, with the breakpoint, then what changes with each (overlay of the message, memories, knowledge) and would spoil the cache.</summary>
    private void WriteSystem(IReadOnlyList<ChatMessage> messages)
    {
        var parts = PromptParts.System(messages).ToList();
        var stable = parts.FindIndex(part => PromptSection.NameOf(part) is PromptSection.MessageOverlay or PromptSection.Memories or PromptSection.Knowledge);
        stable = stable < 0 ? parts.Count : stable;
        var changing = parts.Skip(stable).Select(part => part.Text);
        if (!string.IsNullOrEmpty(options?.Instructions))
        {
            changing = changing.Append(options.Instructions);
        }
        var first = string.Join("\n\n", parts.Take(stable).Select(part => part.Text));
        var second = string.Join("\n\n", changing);
        if (first.Length + second.Length == 0)
        {
            return;
        }
        json.WriteStartArray("system");
        WriteBlock(first, breakpoint: true);
        WriteBlock(second, breakpoint: first.Length == 0);
        json.WriteEndArray();
    }

    private void WriteBlock(string text, bool breakpoint)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", text);
        if (breakpoint)
        {
            CacheBreakpoint.Write(json, settings);
        }
        json.WriteEndObject();
    }

    private void WriteCompaction()
    {
        if (compaction is null)
        {
            return;
        }
        json.WriteStartObject("context_management");
        json.WriteStartArray("edits");
        json.WriteStartObject();
        json.WriteString("type", "compact_20260112");
        json.WriteStartObject("trigger");
        json.WriteString("type", "input_tokens");
        json.WriteNumber("value", compaction.TriggerTokens);
        json.WriteEndObject();
        if (compaction.PauseAfter)
        {
            json.WriteBoolean("pause_after_compaction", true);
        }
        if (compaction.Instructions is { } instructions)
        {
            json.WriteString("instructions", instructions);
        }
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteFormat()
    {
        if (options?.ResponseFormat is ChatResponseFormatJson { Schema: { } schema })
        {
            json.WriteStartObject("output_config");
            json.WriteStartObject("format");
            json.WriteString("type", "json_schema");
            json.WriteElement("schema", schema);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }
}

/// <summary>Marks that everything up to here may be cached.</summary>
internal static class CacheBreakpoint
{
    public static void Write(Utf8JsonWriter json, AnthropicSettings settings)
    {
        if (settings.CacheDisabled)
        {
            return;
        }
        json.WriteStartObject("cache_control");
        json.WriteString("type", "ephemeral");
        if (settings.CacheTtl == "1h")
        {
            json.WriteString("ttl", "1h");
        }
        json.WriteEndObject();
    }
}
