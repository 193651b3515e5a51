using System.Text.Json;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Anthropic;

/// <summary>Thinking blocks. Their signatures travel in <see cref="TextReasoningContent.ProtectedData"/> with the vendor's mark, so that no other vendor is sent them.</summary>
internal static class Thinking
{
    private const string Signed = "anthropic:";
    private const string Redacted = "anthropic-redacted:";

    public static TextReasoningContent Block(string text, string signature) => new(text) { ProtectedData = Signed + signature };

    public static TextReasoningContent RedactedBlock(string data) => new("") { ProtectedData = Redacted + data };

    /// <summary>Budget of this call; null when it runs without thinking.</summary>
    public static int? BudgetOf(ModelEndpoint endpoint, IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        var budget = endpoint.SupportsThinking ? ModelSettings.Of(options).Anthropic.ThinkingBudgetTokens : null;
        return budget is not null && MayThink(messages) ? budget : null;
    }

    public static bool TryWrite(Utf8JsonWriter json, TextReasoningContent content)
    {
        switch (content.ProtectedData)
        {
            case { } data when data.StartsWith(Signed, StringComparison.Ordinal):
                json.WriteStartObject();
                json.WriteString("type", "thinking");
                json.WriteString("thinking", content.Text);
                json.WriteString("signature", data.AsSpan(Signed.Length));
                json.WriteEndObject();
                return true;
            case { } data when data.StartsWith(Redacted, StringComparison.Ordinal):
                json.WriteStartObject();
                json.WriteString("type", "redacted_thinking");
                json.WriteString("data", data.AsSpan(Redacted.Length));
                json.WriteEndObject();
                return true;
            default:
                return false;
        }
    }

    /// <summary>Within tool steps the API wants the thinking that led to the first call back. Where it is gone (another model made the call, the turn was resumed from storage) the step goes on without thinking.</summary>
    private static bool MayThink(IReadOnlyList<ChatMessage> messages)
    {
        ChatMessage? firstOfTurn = null;
        for (var i = messages.Count - 1; i >= 0 && messages[i].Role != ChatRole.User; i--)
        {
            if (messages[i].Role == ChatRole.Assistant)
            {
                firstOfTurn = messages[i];
            }
        }
        return firstOfTurn is null
            || !firstOfTurn.Contents.Any(content => content is FunctionCallContent)
            || firstOfTurn.Contents.Any(content => content is TextReasoningContent { ProtectedData: { } data } && data.StartsWith("anthropic", StringComparison.Ordinal));
    }
}
