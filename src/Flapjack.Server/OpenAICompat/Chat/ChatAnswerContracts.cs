using System.Text.Json.Serialization;

namespace Flapjack.Server.OpenAICompat.Chat;

/// <summary>An answer in one piece.</summary>
/// <param name="Id"><c>chatcmpl-</c> and the turn's id without dashes.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">As asked for.</param>
/// <param name="Choices">One.</param>
/// <param name="Usage">Tokens of this request.</param>
public sealed record ChatCompletion(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, ChatUsage Usage)
{
    /// <summary><c>chat.completion</c>.</summary>
    [JsonPropertyName("object")]
    public string Kind => "chat.completion";
}

/// <summary>The answer.</summary>
/// <param name="Index">0.</param>
/// <param name="Message">What the agent said.</param>
/// <param name="FinishReason"><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</param>
public sealed record ChatChoice(int Index, ChatAnswer Message, string FinishReason)
{
    /// <summary>Always null.</summary>
    public object? Logprobs => null;
}

/// <summary>What the agent said, or wants the client to run.</summary>
/// <param name="Content">The text; null when there are only calls.</param>
/// <param name="ToolCalls">Calls of the client's functions; absent without any.</param>
public sealed record ChatAnswer(string? Content, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ChatToolCall>? ToolCalls)
{
    /// <summary><c>assistant</c>.</summary>
    public string Role => "assistant";
    /// <summary>Always null: an agent refuses in words.</summary>
    public string? Refusal => null;
}

/// <summary>A call of a function the client runs.</summary>
/// <param name="Index">Its place; only in chunks.</param>
/// <param name="Id">Name it as <c>tool_call_id</c> of the result.</param>
/// <param name="Function">What to run.</param>
public sealed record ChatToolCall([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Index, string Id, ChatFunctionCall Function)
{
    /// <summary><c>function</c>.</summary>
    public string Type => "function";
}

/// <summary>A function with its arguments.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">JSON text.</param>
public sealed record ChatFunctionCall(string Name, string Arguments);

/// <summary>Tokens of a request, over all model calls it caused.</summary>
/// <param name="PromptTokens">Of the prompts, cached ones included.</param>
/// <param name="CompletionTokens">Of the answers.</param>
/// <param name="TotalTokens">Both.</param>
/// <param name="PromptTokensDetails">How many came from a cache.</param>
public sealed record ChatUsage(long PromptTokens, long CompletionTokens, long TotalTokens, ChatPromptTokens PromptTokensDetails);

/// <summary>Of the prompt's tokens.</summary>
/// <param name="CachedTokens">Read from the provider's cache.</param>
public sealed record ChatPromptTokens(long CachedTokens);

/// <summary>A piece of a streamed answer.</summary>
/// <param name="Id">The same in all chunks.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">As asked for.</param>
/// <param name="Choices">One, or none in the chunk that tells the usage.</param>
/// <param name="Usage">In the last chunk, when it was asked for.</param>
public sealed record ChatChunk(
    string Id, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ChatUsage? Usage = null)
{
    /// <summary><c>chat.completion.chunk</c>.</summary>
    [JsonPropertyName("object")]
    public string Kind => "chat.completion.chunk";
}

/// <summary>What is new of the answer.</summary>
/// <param name="Index">0.</param>
/// <param name="Delta">Text or calls to append.</param>
/// <param name="FinishReason"><c>stop</c>, <c>length</c> or <c>tool_calls</c> at the end; null before.</param>
public sealed record ChatChunkChoice(int Index, ChatDelta Delta, string? FinishReason)
{
    /// <summary>Always null.</summary>
    public object? Logprobs => null;
}

/// <summary>Text or calls to append.</summary>
public sealed record ChatDelta
{
    /// <summary><c>assistant</c>, in the first chunk.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }
    /// <summary>Text.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Content { get; init; }
    /// <summary>Calls, each whole.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatToolCall>? ToolCalls { get; init; }
}
