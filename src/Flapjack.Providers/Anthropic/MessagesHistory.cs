using System.Text;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Anthropic;

/// <summary>Writes the conversation: roles alternate, so neighbours of one role become one message, and tool results stand first in theirs. A summary of the API's own and the last user message carry a cache breakpoint.</summary>
internal readonly ref struct MessagesHistory(Utf8JsonWriter json, bool thinking, bool compacts, AnthropicSettings settings)
{
    public void Write(IReadOnlyList<ChatMessage> messages)
    {
        var turns = Merge(messages);
        var lastUser = turns.FindLastIndex(turn => turn.IsUser);
        json.WriteStartArray("messages");
        if (turns.Count > 0 && !turns[0].IsUser)
        {
            // The protocol wants a user first; a history cut by compaction may begin otherwise.
            Begin("user");
            WriteText("(The conversation continues.)", cached: false);
            End();
        }
        for (var i = 0; i < turns.Count; i++)
        {
            Begin(turns[i].IsUser ? "user" : "assistant");
            var contents = turns[i].Contents;
            for (var j = 0; j < contents.Count; j++)
            {
                WriteContent(contents[j], cached: i == lastUser && j == contents.Count - 1);
            }
            End();
        }
        json.WriteEndArray();
    }

    private List<Turn> Merge(IReadOnlyList<ChatMessage> messages)
    {
        var turns = new List<Turn>(messages.Count);
        foreach (var message in messages)
        {
            if (message.Role == ChatRole.System)
            {
                continue;
            }
            var isUser = message.Role != ChatRole.Assistant;
            foreach (var content in message.Contents)
            {
                if (!CanWrite(content))
                {
                    continue;
                }
                if (turns.Count == 0 || turns[^1].IsUser != isUser)
                {
                    turns.Add(new Turn(isUser, []));
                }
                var contents = turns[^1].Contents;
                if (content is FunctionResultContent)
                {
                    var firstOther = contents.FindIndex(other => other is not FunctionResultContent);
                    contents.Insert(firstOther < 0 ? contents.Count : firstOther, content);
                }
                else
                {
                    contents.Add(content);
                }
            }
        }
        return turns;
    }

    private bool CanWrite(AIContent content) => content switch
    {
        TextContent text => !string.IsNullOrWhiteSpace(text.Text),
        TextReasoningContent reasoning => thinking && reasoning.ProtectedData?.StartsWith("anthropic", StringComparison.Ordinal) == true,
        FunctionCallContent or FunctionResultContent or DataContent or UriContent => true,
        _ => false,
    };

    private void WriteContent(AIContent content, bool cached)
    {
        switch (content)
        {
            case TextContent text when compacts && CompactionContent.Is(text):
                WriteCompaction(text);
                break;
            case TextContent text:
                WriteText(text.Text, cached);
                break;
            case TextReasoningContent reasoning:
                Thinking.TryWrite(json, reasoning);
                break;
            case FunctionCallContent call:
                json.WriteStartObject();
                json.WriteString("type", "tool_use");
                json.WriteString("id", CallId(call.CallId));
                json.WriteString("name", call.Name);
                json.WriteRaw("input", PromptParts.ArgumentsJson(call));
                json.WriteEndObject();
                break;
            case FunctionResultContent result:
                json.WriteStartObject();
                json.WriteString("type", "tool_result");
                json.WriteString("tool_use_id", CallId(result.CallId));
                json.WriteString("content", PromptParts.ResultText(result));
                if (result.Exception is not null)
                {
                    json.WriteBoolean("is_error", true);
                }
                Cache(cached);
                json.WriteEndObject();
                break;
            case DataContent data:
                WriteData(data, cached);
                break;
            case UriContent link:
                json.WriteStartObject();
                json.WriteString("type", link.HasTopLevelMediaType("image") ? "image" : "document");
                json.WriteStartObject("source");
                json.WriteString("type", "url");
                json.WriteString("url", link.Uri.AbsoluteUri);
                json.WriteEndObject();
                Cache(cached);
                json.WriteEndObject();
                break;
        }
    }

    private void WriteData(DataContent data, bool cached)
    {
        var isImage = data.HasTopLevelMediaType("image");
        var isText = data.HasTopLevelMediaType("text");
        if (!isImage && !isText && data.MediaType != "application/pdf")
        {
            WriteText(PromptParts.Unreadable(data.Name, data.MediaType), cached);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", isImage ? "image" : "document");
        json.WriteStartObject("source");
        json.WriteString("type", isText ? "text" : "base64");
        json.WriteString("media_type", isText ? "text/plain" : data.MediaType);
        if (isText)
        {
            json.WriteString("data", Encoding.UTF8.GetString(data.Data.Span));
        }
        else
        {
            Base64Member.Write(json, "data", "", data.Data.Span);
        }
        json.WriteEndObject();
        if (!isImage && data.Name is { } name)
        {
            json.WriteString("title", name);
        }
        Cache(cached);
        json.WriteEndObject();
    }

    /// <summary>What stands before it is known to the API by it alone, so everything up to here may be cached.</summary>
    private void WriteCompaction(TextContent summary)
    {
        json.WriteStartObject();
        json.WriteString("type", "compaction");
        json.WriteString("content", summary.Text);
        if (CompactionContent.DataOf(summary) is { } data)
        {
            json.WriteString("encrypted_content", data);
        }
        CacheBreakpoint.Write(json, settings);
        json.WriteEndObject();
    }

    private void WriteText(string text, bool cached)
    {
        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", text);
        Cache(cached);
        json.WriteEndObject();
    }

    private void Cache(bool cached)
    {
        if (cached)
        {
            CacheBreakpoint.Write(json, settings);
        }
    }

    private void Begin(string role)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteStartArray("content");
    }

    private void End()
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The API takes ids of letters, digits, <c>_</c> and <c>-</c>; calls made by another vendor's model may have others.</summary>
    private static string CallId(string id) =>
        id.All(IsPlain) ? id : string.Create(id.Length, id, static (span, id) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = IsPlain(id[i]) ? id[i] : '_';
            }
        });

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-';

    private readonly record struct Turn(bool IsUser, List<AIContent> Contents);
}
