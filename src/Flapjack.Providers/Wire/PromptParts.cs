using System.Text.Json;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Wire;

/// <summary>What every protocol asks of a prompt.</summary>
internal static class PromptParts
{
    /// <summary>Texts of all system messages in order; their place among the messages says nothing to the protocols.</summary>
    public static IEnumerable<TextContent> System(IReadOnlyList<ChatMessage> messages)
    {
        foreach (var message in messages)
        {
            if (message.Role == ChatRole.System)
            {
                foreach (var content in message.Contents)
                {
                    if (content is TextContent { Text.Length: > 0 } text)
                    {
                        yield return text;
                    }
                }
            }
        }
    }

    /// <summary>The system prompt as one text. Plain JSON mode adds a sentence: OpenAI refuses the mode when no message speaks of JSON.</summary>
    public static string SystemText(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        var parts = System(messages).Select(part => part.Text);
        if (!string.IsNullOrEmpty(options?.Instructions))
        {
            parts = parts.Append(options.Instructions);
        }
        if (options?.ResponseFormat is ChatResponseFormatJson { Schema: null })
        {
            parts = parts.Append(FormatInWords.OnlyJson);
        }
        return string.Join("\n\n", parts);
    }

    /// <summary>Text of a tool's result; results are text or JSON text already.</summary>
    public static string ResultText(FunctionResultContent result) => result.Result switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        JsonElement json => json.GetRawText(),
        null => "",
        var other => JsonSerializer.Serialize(other, AIJsonUtilities.DefaultOptions),
    };

    /// <summary>Arguments as a JSON object for the history. Servers refuse a whole conversation for one call with broken JSON, so such text travels inside an object.</summary>
    public static string ArgumentsJson(FunctionCallContent call)
    {
        var text = ToolCallArguments.TextOf(call);
        return call.Exception is null ? text : JsonSerializer.Serialize(new Dictionary<string, string> { ["INVALID_JSON"] = text }, AIJsonUtilities.DefaultOptions);
    }

    public static IEnumerable<AIFunctionDeclaration> Tools(ChatOptions? options) => options?.Tools?.OfType<AIFunctionDeclaration>() ?? [];

    /// <summary>A file no protocol takes; the model is told rather than left guessing.</summary>
    public static string Unreadable(string? name, string mediaType) => $"[Attachment {name ?? "without name"} of type {mediaType} cannot be read by this model.]";
}
