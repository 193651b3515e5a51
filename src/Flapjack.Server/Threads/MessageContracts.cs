using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Attachments;

namespace Flapjack.Server.Threads;

/// <summary>A message to a thread. It starts a turn, or continues the one that waits for <c>toolResults</c>.</summary>
public sealed record MessageRequest
{
    /// <summary>The user's text, at most 400,000 characters. Required unless <c>toolResults</c> or <c>attachments</c> are sent.</summary>
    public Optional<string> Content { get; init; }
    /// <summary>Client-side tools, at most 64.</summary>
    public Optional<List<ClientToolRequest?>> Tools { get; init; }
    /// <summary>Results of pending client-side calls; a part of them is allowed.</summary>
    public Optional<List<ToolResultRequest?>> ToolResults { get; init; }
    /// <summary>A model for this turn.</summary>
    public Optional<string> ModelOverride { get; init; }
    /// <summary>Name of who writes, at most 200 characters.</summary>
    public Optional<string> SenderName { get; init; }
    /// <summary>The application's id of who writes, at most 255 characters.</summary>
    public Optional<string> SenderId { get; init; }
    /// <summary>A tool profile for this message only.</summary>
    public Optional<string> ToolProfile { get; init; }
    /// <summary>Text or texts added to the system prompt of this message only.</summary>
    public Optional<JsonElement?> SystemPromptOverlay { get; init; }
    /// <summary>Replaces the thread's resource bindings for this message.</summary>
    public Optional<List<ResourceBindingRequest?>> ResourceBindings { get; init; }
    /// <summary>Partial web config for this message.</summary>
    public Optional<JsonElement?> WebOverrides { get; init; }
    /// <summary>Partial memory config for this message.</summary>
    public Optional<JsonElement?> MemoryOverrides { get; init; }
    /// <summary>Partial computer config for this message.</summary>
    public Optional<JsonElement?> ComputerOverrides { get; init; }
    /// <summary>Partial plan config for this message; <c>mode</c> is <c>off</c>, <c>plan</c> or <c>execute</c>.</summary>
    public Optional<JsonElement?> PlanOverrides { get; init; }
    /// <summary>Thinking, fallback models and prompt cache of Anthropic models.</summary>
    public Optional<AnthropicOverridesRequest?> AnthropicOverrides { get; init; }
    /// <summary>Cache key and safety identifier of OpenAI models.</summary>
    public Optional<OpenAIOverridesRequest?> OpenaiOverrides { get; init; }
    /// <summary>Images and files, at most 10. With them, <c>content</c> may be left out.</summary>
    public Optional<List<AttachmentRequest?>> Attachments { get; init; }
    /// <summary>What the answer has to be: text, JSON, or JSON of a schema.</summary>
    public Optional<ResponseFormatRequest?> ResponseFormat { get; init; }
    /// <summary><c>cancel</c> (default) ends the turn with its last listener; <c>continue</c> lets it run.</summary>
    public Optional<string> OnDisconnect { get; init; }
    /// <summary>What happens when a turn runs already: <c>reject</c> (default), <c>queue</c> or <c>interrupt</c>.</summary>
    public Optional<string> OnBusy { get; init; }
    /// <summary>False: one JSON answer instead of a stream.</summary>
    public Optional<bool?> Stream { get; init; }
    /// <summary>JSON object of at most 16 KB, copied to the trace; <c>sessionId</c> and <c>tags</c> have a meaning there.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
}

/// <summary>What an answer has to be. With JSON the answer comes in one piece, once it is known to be valid, and <c>done.output</c> has its value.</summary>
public sealed record ResponseFormatRequest
{
    /// <summary><c>text</c>, <c>json</c> or <c>json_schema</c>. Required.</summary>
    public Optional<string> Type { get; init; }
    /// <summary>JSON Schema (draft 2020-12) of at most 64 KB, without references to other documents. Required for <c>json_schema</c>.</summary>
    public Optional<JsonElement?> Schema { get; init; }
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c>, default <c>answer</c>; some providers show it to the model.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>Whether the provider enforces the schema where it can; default true. The server checks the answer in any case.</summary>
    public Optional<bool?> Strict { get; init; }
}

/// <summary>A tool the client runs.</summary>
public sealed record ClientToolRequest
{
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c> without <c>__</c>.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>At most 4,000 characters; tells the model when to use it.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>JSON Schema of the arguments, at most 64 KB.</summary>
    public Optional<JsonElement?> Parameters { get; init; }
}

/// <summary>The result of a client-side call.</summary>
public sealed record ToolResultRequest
{
    /// <summary>Id of a pending call.</summary>
    public Optional<string> ToolCallId { get; init; }
    /// <summary>Also accepted for <c>toolCallId</c>.</summary>
    public Optional<string> Id { get; init; }
    /// <summary>A string or any JSON, at most 1 MB.</summary>
    public Optional<JsonElement> Result { get; init; }
    /// <summary>Also accepted for <c>result</c>.</summary>
    public Optional<JsonElement> Output { get; init; }
    /// <summary>Also accepted for <c>result</c>.</summary>
    public Optional<JsonElement> Content { get; init; }
    /// <summary>True when the call failed.</summary>
    public Optional<bool?> IsError { get; init; }
}

/// <summary>A resource of the application that the conversation is about.</summary>
public sealed record ResourceBindingRequest
{
    /// <summary>Kind of resource, at most 100 characters.</summary>
    public Optional<string> Type { get; init; }
    /// <summary>Also accepted for <c>type</c>.</summary>
    public Optional<string> ResourceType { get; init; }
    /// <summary>Its id, at most 255 characters.</summary>
    public Optional<string> Id { get; init; }
    /// <summary>Also accepted for <c>id</c>.</summary>
    public Optional<string> ResourceId { get; init; }
    /// <summary>Name for people.</summary>
    public Optional<string> Label { get; init; }
    /// <summary>Address for people.</summary>
    public Optional<string> Uri { get; init; }
    /// <summary>JSON object of at most 32 KB, shown to the model.</summary>
    public Optional<JsonElement?> Data { get; init; }
}

/// <summary>Settings of Anthropic's Messages API for one turn.</summary>
public sealed record AnthropicOverridesRequest
{
    /// <summary>Extended thinking.</summary>
    public Optional<ThinkingRequest?> Thinking { get; init; }
    /// <summary>Models tried in order when the first one fails.</summary>
    public Optional<List<string?>> FallbackModels { get; init; }
    /// <summary>Prompt cache.</summary>
    public Optional<CacheRequest?> Cache { get; init; }
}

/// <summary>Extended thinking.</summary>
public sealed record ThinkingRequest
{
    /// <summary>On or off.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>Tokens, at least 1,024; default 10,000.</summary>
    public Optional<int?> BudgetTokens { get; init; }
}

/// <summary>Prompt cache.</summary>
public sealed record CacheRequest
{
    /// <summary>True: no breakpoints are sent.</summary>
    public Optional<bool?> Disabled { get; init; }
    /// <summary><c>5m</c> (default) or <c>1h</c>.</summary>
    public Optional<string> Ttl { get; init; }
    /// <summary>Whether the tool list gets a breakpoint of its own; default true.</summary>
    public Optional<bool?> CacheTools { get; init; }
}

/// <summary>Settings of OpenAI's API for one turn.</summary>
public sealed record OpenAIOverridesRequest
{
    /// <summary>True: neither key nor identifier is sent.</summary>
    public Optional<bool?> Disabled { get; init; }
    /// <summary>Default: the thread's id.</summary>
    public Optional<string> PromptCacheKey { get; init; }
    /// <summary>Default: the organisation's id.</summary>
    public Optional<string> SafetyIdentifier { get; init; }
}

/// <summary>A page of messages.</summary>
/// <param name="Messages">In the order asked for.</param>
/// <param name="Total">What the same query would return without paging.</param>
public sealed record MessagePage(IReadOnlyList<MessageResponse> Messages, long Total);

/// <summary>A message as people see it.</summary>
public sealed record MessageResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary><c>user</c>, <c>assistant</c>, or <c>tool</c> with <c>include=tools</c>.</summary>
    public required string Role { get; init; }
    /// <summary>The text; of a tool row its result.</summary>
    public required string Content { get; init; }
    /// <summary>Who wrote it.</summary>
    public required string? SenderName { get; init; }
    /// <summary>When it was stored, UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>The application's id of who wrote it.</summary>
    public required string? SenderId { get; init; }
    /// <summary>Images and files.</summary>
    public required IReadOnlyList<MessageAttachment> Attachments { get; init; }
    /// <summary>True when the turn was stopped and this is what there was.</summary>
    public required bool Stopped { get; init; }
    /// <summary>Code of the error that ended the turn; null when it ended well.</summary>
    public required string? Error { get; init; }
    /// <summary>Model of an answer.</summary>
    public required string? Model { get; init; }
    /// <summary>The turn it belongs to.</summary>
    public required Guid? TurnId { get; init; }
    /// <summary>Tokens and cost of an answer; null for other rows.</summary>
    public required MessageUsage? Usage { get; init; }
    /// <summary>Calls of the answer's turn; only with <c>include=tools</c>.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<MessageToolCall>? ToolCalls { get; init; }
    /// <summary>Of a tool row: the call it answers.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? ToolCallId { get; init; }
    /// <summary>Of a tool row: the tool.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? ToolName { get; init; }
    /// <summary>Of a tool row: whether the call failed.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public bool? IsError { get; init; }

    internal static MessageResponse From(Message message, IReadOnlyList<MessageToolCall>? calls = null) => new()
    {
        Id = message.Id,
        Role = message.Role,
        Content = message.Content,
        SenderName = message.SenderName,
        CreatedAt = message.CreatedAt,
        SenderId = message.SenderId,
        Attachments = MessageAttachments.Parse(message.Attachments),
        Stopped = message.Stopped,
        Error = message.Error,
        Model = message.Model,
        TurnId = message.TurnId,
        Usage = message.Role == MessageRoles.Assistant ? MessageUsage.From(message) : null,
        ToolCalls = calls,
        ToolCallId = message.ToolCallId,
        ToolName = message.ToolName,
        IsError = message.Role == MessageRoles.Tool ? message.IsError : null,
    };
}

/// <summary>Tokens and cost of a turn.</summary>
/// <param name="InputTokens">All prompt tokens, cached ones included.</param>
/// <param name="OutputTokens">Tokens of the answer.</param>
/// <param name="CacheReadTokens">Prompt tokens read from the provider's cache.</param>
/// <param name="CacheWriteTokens">Prompt tokens written to it.</param>
/// <param name="CostUsd">US dollars, six decimals; null when the model has no price.</param>
public sealed record MessageUsage(long InputTokens, long OutputTokens, long CacheReadTokens, long CacheWriteTokens, decimal? CostUsd)
{
    internal static MessageUsage From(Message message) => new(message.InputTokens ?? 0, message.OutputTokens ?? 0, message.CacheReadTokens ?? 0, message.CacheWriteTokens ?? 0, Streams.Money.Round(message.CostUsd));
}

/// <summary>A tool call of an answer.</summary>
/// <param name="Id">Id of the call.</param>
/// <param name="Name">Tool.</param>
/// <param name="Arguments">JSON text the model wrote.</param>
public sealed record MessageToolCall(string Id, string Name, string Arguments);

/// <summary>Knowledge behind an answer.</summary>
/// <param name="MessageId">The answer.</param>
/// <param name="Sources">Pieces of documents that stood in the prompt of its turn, best first; those of documents deleted since are left out.</param>
public sealed record MessageSources(Guid MessageId, IReadOnlyList<MessageSource> Sources);

/// <summary>A piece of a document that stood in the prompt of a turn, as it was then.</summary>
/// <param name="DocumentId">UUID.</param>
/// <param name="ChunkId">UUID.</param>
/// <param name="Title">Of the document.</param>
/// <param name="SourceRef">Name of the file, or address.</param>
/// <param name="ScopeType"><c>org</c>, <c>agent</c> or <c>thread</c>.</param>
/// <param name="Position">From 0, in the document.</param>
/// <param name="Page">The page it begins on.</param>
/// <param name="Score">0 to 1; the best has 1.</param>
/// <param name="Text">The text.</param>
public sealed record MessageSource(Guid DocumentId, Guid ChunkId, string Title, string SourceRef, string ScopeType, int Position, int? Page, double Score, string Text);
