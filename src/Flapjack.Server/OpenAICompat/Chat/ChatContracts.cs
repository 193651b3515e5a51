using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat.Chat;

/// <summary>A request of Chat Completions. Fields not listed are ignored.</summary>
public sealed record ChatCompletionRequest
{
    /// <summary><c>agent:&lt;uuid&gt;</c>; models themselves only where the server allows them. Required.</summary>
    public Optional<string> Model { get; init; }
    /// <summary>The conversation, oldest first. The last user message starts the turn, or the results at the end let it go on. With a thread only what follows the last answer counts.</summary>
    public Optional<List<ChatMessageRequest?>> Messages { get; init; }
    /// <summary>True: chunks as server-sent events, <c>[DONE]</c> at the end.</summary>
    public Optional<bool?> Stream { get; init; }
    /// <summary>What the stream holds beside the answer.</summary>
    [JsonPropertyName("stream_options")]
    public Optional<ChatStreamOptions?> StreamOptions { get; init; }
    /// <summary>Functions the client runs, at most 64.</summary>
    public Optional<List<ChatToolRequest?>> Tools { get; init; }
    /// <summary><c>auto</c> (default) or <c>none</c>, which keeps the client's functions from the model.</summary>
    [JsonPropertyName("tool_choice")]
    public Optional<JsonElement?> ToolChoice { get; init; }
    /// <summary><c>{"type":"text"}</c>, <c>json_object</c>, or <c>json_schema</c> with <c>json_schema</c>: <c>schema</c>, <c>name</c> and <c>strict</c>. JSON comes in one piece, once it is known to be valid.</summary>
    [JsonPropertyName("response_format")]
    public Optional<JsonElement?> ResponseFormat { get; init; }
    /// <summary>From 0 to 2, instead of the agent's.</summary>
    public Optional<double?> Temperature { get; init; }
    /// <summary>Largest answer in tokens; the agent's own limit holds as well.</summary>
    [JsonPropertyName("max_tokens")]
    public Optional<int?> MaxTokens { get; init; }
    /// <summary>The newer name of <c>max_tokens</c>; wins when both are sent.</summary>
    [JsonPropertyName("max_completion_tokens")]
    public Optional<int?> MaxCompletionTokens { get; init; }
    /// <summary>Up to four texts at which the model stops, a string or an array. Models whose API has no such field ignore them.</summary>
    public Optional<JsonElement?> Stop { get; init; }
    /// <summary>The application's id of its end user, at most 255 characters.</summary>
    public Optional<string> User { get; init; }
    /// <summary>JSON object of at most 16 KB, copied to the trace. <c>thread_id</c> in it names the thread to use, as the header <c>X-Flapjack-Thread</c> does.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
    /// <summary>Answers wanted; only 1.</summary>
    public Optional<int?> N { get; init; }
}

/// <summary>What a stream holds beside the answer.</summary>
public sealed record ChatStreamOptions
{
    /// <summary>True: a last chunk without choices tells the usage.</summary>
    [JsonPropertyName("include_usage")]
    public Optional<bool?> IncludeUsage { get; init; }
}

/// <summary>A message of the conversation.</summary>
public sealed record ChatMessageRequest
{
    /// <summary><c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</summary>
    public Optional<string> Role { get; init; }
    /// <summary>A string, or an array of parts: <c>text</c>, and in user messages <c>image_url</c> and <c>file</c>, at most 10 of these.</summary>
    public Optional<JsonElement?> Content { get; init; }
    /// <summary>Name of who wrote it.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>Calls of an assistant message.</summary>
    [JsonPropertyName("tool_calls")]
    public Optional<List<ChatToolCallRequest?>> ToolCalls { get; init; }
    /// <summary>The call a <c>tool</c> message answers.</summary>
    [JsonPropertyName("tool_call_id")]
    public Optional<string> ToolCallId { get; init; }
}

/// <summary>A call the model made earlier.</summary>
public sealed record ChatToolCallRequest
{
    /// <summary>Its id.</summary>
    public Optional<string> Id { get; init; }
    /// <summary><c>function</c>.</summary>
    public Optional<string> Type { get; init; }
    /// <summary>What was called.</summary>
    public Optional<ChatFunctionCallRequest?> Function { get; init; }
}

/// <summary>A function with the arguments of a call.</summary>
public sealed record ChatFunctionCallRequest
{
    /// <summary>Its name.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>JSON text, as the model wrote it.</summary>
    public Optional<string> Arguments { get; init; }
}

/// <summary>A tool the model may call.</summary>
public sealed record ChatToolRequest
{
    /// <summary><c>function</c>; anything else is 400.</summary>
    public Optional<string> Type { get; init; }
    /// <summary>The function.</summary>
    public Optional<ChatFunctionRequest?> Function { get; init; }
}

/// <summary>A function the client runs.</summary>
public sealed record ChatFunctionRequest
{
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c> without <c>__</c>, and not the name of a tool of the agent.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>At most 4,000 characters; tells the model when to call it.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>JSON Schema of the arguments, at most 64 KB.</summary>
    public Optional<JsonElement?> Parameters { get; init; }
}
