using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Server.OpenAICompat.Responses;

/// <summary>An answer. The first half says what came of the request, the second repeats what was asked.</summary>
public sealed record ResponseObject
{
    /// <summary><c>resp_</c> and the turn's id without dashes.</summary>
    public required string Id { get; init; }
    /// <summary><c>response</c>.</summary>
    [JsonPropertyName("object")]
    public string Kind => "response";
    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }
    /// <summary><c>in_progress</c>, <c>completed</c>, <c>incomplete</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }
    /// <summary>What failed; null otherwise.</summary>
    public required ResponseError? Error { get; init; }
    /// <summary>Why it is incomplete; null otherwise.</summary>
    public required ResponseIncomplete? IncompleteDetails { get; init; }
    /// <summary>The text, then calls of the client's functions.</summary>
    public required IReadOnlyList<ResponseItem> Output { get; init; }
    /// <summary>Tokens of this request; null while it runs.</summary>
    public required ResponseUsage? Usage { get; init; }

    /// <summary>As asked for.</summary>
    public required string Model { get; init; }
    /// <summary>As sent.</summary>
    public required string? Instructions { get; init; }
    /// <summary>As sent.</summary>
    public required string? PreviousResponseId { get; init; }
    /// <summary>As sent.</summary>
    public required int? MaxOutputTokens { get; init; }
    /// <summary>As sent.</summary>
    public required double? Temperature { get; init; }
    /// <summary>As sent.</summary>
    public required IReadOnlyList<ResponseTool> Tools { get; init; }
    /// <summary><c>auto</c> or <c>none</c>.</summary>
    public required string ToolChoice { get; init; }
    /// <summary>Whether it can be continued.</summary>
    public required bool Store { get; init; }
    /// <summary>As sent.</summary>
    public required string? User { get; init; }
    /// <summary>As sent; an empty object without any.</summary>
    public required JsonElement Metadata { get; init; }
    /// <summary>The format asked for.</summary>
    public required ResponseText Text { get; init; }
    /// <summary>Always true: a model may call several functions at once.</summary>
    public bool ParallelToolCalls => true;
    /// <summary>Always null: not a setting here.</summary>
    public double? TopP => null;
    /// <summary>Always <c>disabled</c>: what does not fit is an error.</summary>
    public string Truncation => "disabled";
}

/// <summary>What failed.</summary>
/// <param name="Code">Such as <c>MODEL_UNAVAILABLE</c>.</param>
/// <param name="Message">For people.</param>
public sealed record ResponseError(string Code, string Message);

/// <summary>Why an answer is incomplete.</summary>
/// <param name="Reason"><c>max_output_tokens</c>, or <c>stopped</c> when somebody stopped the turn.</param>
public sealed record ResponseIncomplete(string Reason);

/// <summary>A message of the agent, or a call of a function the client runs.</summary>
public sealed record ResponseItem
{
    /// <summary>Unique in the response.</summary>
    public required string Id { get; init; }
    /// <summary><c>message</c> or <c>function_call</c>.</summary>
    public required string Type { get; init; }
    /// <summary><c>in_progress</c>, <c>completed</c> or <c>incomplete</c>.</summary>
    public required string Status { get; init; }
    /// <summary><c>assistant</c>; only of messages.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }
    /// <summary>The text; only of messages.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ResponsePart>? Content { get; init; }
    /// <summary>Name it as <c>call_id</c> of the result; only of calls.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CallId { get; init; }
    /// <summary>The function; only of calls.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }
    /// <summary>JSON text; only of calls.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Arguments { get; init; }
}

/// <summary>Text of a message.</summary>
/// <param name="Text">The text.</param>
public sealed record ResponsePart(string Text)
{
    /// <summary><c>output_text</c>.</summary>
    public string Type => "output_text";
    /// <summary>Always empty.</summary>
    public IReadOnlyList<JsonElement> Annotations => [];
    /// <summary>Always empty.</summary>
    public IReadOnlyList<JsonElement> Logprobs => [];
}

/// <summary>A function the client runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">When to call it.</param>
/// <param name="Parameters">JSON Schema of its arguments.</param>
public sealed record ResponseTool(string Name, string? Description, JsonElement Parameters)
{
    /// <summary><c>function</c>.</summary>
    public string Type => "function";
    /// <summary>Always false.</summary>
    public bool Strict => false;
}

/// <summary>How the text was to look.</summary>
/// <param name="Format">The format asked for.</param>
public sealed record ResponseText(JsonElement Format);

/// <summary>Tokens of a request, over all model calls it caused.</summary>
/// <param name="InputTokens">Of the prompts, cached ones included.</param>
/// <param name="InputTokensDetails">How many came from a cache.</param>
/// <param name="OutputTokens">Of the answers.</param>
/// <param name="OutputTokensDetails">How many were thoughts.</param>
/// <param name="TotalTokens">Both.</param>
public sealed record ResponseUsage(long InputTokens, ResponseInputTokens InputTokensDetails, long OutputTokens, ResponseOutputTokens OutputTokensDetails, long TotalTokens);

/// <summary>Of the input's tokens.</summary>
/// <param name="CachedTokens">Read from the provider's cache.</param>
public sealed record ResponseInputTokens(long CachedTokens);

/// <summary>Of the output's tokens.</summary>
/// <param name="ReasoningTokens">Always 0: providers' counts are not told apart.</param>
public sealed record ResponseOutputTokens(long ReasoningTokens);
