using System.Text.Json.Nodes;

namespace Flapjack.Client;

/// <summary>A message to a thread. It starts a turn, or continues the one that waits for <c>toolResults</c>.</summary>
public sealed record MessageRequest : FlapjackRequest
{
    /// <summary>The user's text, at most 400,000 characters. Required unless <c>toolResults</c> or <c>attachments</c> are sent.</summary>
    public string? Content { get; init; }

    /// <summary>Client-side tools, at most 64.</summary>
    public IReadOnlyList<ClientToolRequest>? Tools { get; init; }

    /// <summary>Results of pending client-side calls; a part of them is allowed.</summary>
    public IReadOnlyList<ToolResultRequest>? ToolResults { get; init; }

    /// <summary>A model for this turn.</summary>
    public string? ModelOverride { get; init; }

    /// <summary>Name of who writes, at most 200 characters.</summary>
    public string? SenderName { get; init; }

    /// <summary>The application's id of who writes, at most 255 characters.</summary>
    public string? SenderId { get; init; }

    /// <summary>A tool profile for this message only.</summary>
    public string? ToolProfile { get; init; }

    /// <summary>Text or texts added to the system prompt of this message only.</summary>
    public JsonNode? SystemPromptOverlay { get; init; }

    /// <summary>Replaces the thread's resource bindings for this message.</summary>
    public IReadOnlyList<ResourceBindingRequest>? ResourceBindings { get; init; }

    /// <summary>Partial web config for this message.</summary>
    public JsonNode? WebOverrides { get; init; }

    /// <summary>Partial memory config for this message.</summary>
    public JsonNode? MemoryOverrides { get; init; }

    /// <summary>Partial computer config for this message.</summary>
    public JsonNode? ComputerOverrides { get; init; }

    /// <summary>Partial plan config for this message; <c>mode</c> is <c>off</c>, <c>plan</c> or <c>execute</c>.</summary>
    public JsonNode? PlanOverrides { get; init; }

    /// <summary>Thinking, fallback models and prompt cache of Anthropic models.</summary>
    public JsonObject? AnthropicOverrides { get; init; }

    /// <summary>Cache key and safety identifier of OpenAI models.</summary>
    public JsonObject? OpenaiOverrides { get; init; }

    /// <summary>Images and files, at most 10. With them, <c>content</c> may be left out.</summary>
    public IReadOnlyList<AttachmentRequest>? Attachments { get; init; }

    /// <summary>What the answer has to be: text, JSON, or JSON of a schema.</summary>
    public JsonObject? ResponseFormat { get; init; }

    /// <summary><c>cancel</c> (default) ends the turn with its last listener; <c>continue</c> lets it run.</summary>
    public string? OnDisconnect { get; init; }

    /// <summary>What happens when a turn runs already: <c>reject</c> (default), <c>queue</c> or <c>interrupt</c>.</summary>
    public string? OnBusy { get; init; }

    /// <summary>JSON object of at most 16 KB, copied to the trace; <c>sessionId</c> and <c>tags</c> have a meaning there.</summary>
    public JsonNode? Metadata { get; init; }
}

/// <summary>A tool the client runs.</summary>
public sealed record ClientToolRequest : FlapjackRequest
{
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c> without <c>__</c>.</summary>
    public string? Name { get; init; }

    /// <summary>At most 4,000 characters; tells the model when to use it.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema of the arguments, at most 64 KB.</summary>
    public JsonNode? Parameters { get; init; }
}

/// <summary>The result of a client-side call.</summary>
public sealed record ToolResultRequest : FlapjackRequest
{
    /// <summary>Id of a pending call.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>A string or any JSON, at most 1 MB.</summary>
    public JsonNode? Result { get; init; }

    /// <summary>True when the call failed.</summary>
    public bool? IsError { get; init; }
}

/// <summary>A resource of the application that the conversation is about.</summary>
public sealed record ResourceBindingRequest : FlapjackRequest
{
    /// <summary>Kind of resource, at most 100 characters.</summary>
    public string? Type { get; init; }

    /// <summary>Its id, at most 255 characters.</summary>
    public string? Id { get; init; }

    /// <summary>Name for people.</summary>
    public string? Label { get; init; }

    /// <summary>Address for people.</summary>
    public string? Uri { get; init; }

    /// <summary>JSON object of at most 32 KB, shown to the model.</summary>
    public JsonNode? Data { get; init; }
}

/// <summary>An image or a file of a message: exactly one of <c>fileId</c>, <c>data</c> and <c>url</c>.</summary>
public sealed record AttachmentRequest : FlapjackRequest
{
    /// <summary><c>image</c> (png, jpeg, webp, gif) or <c>file</c> (pdf, docx, html, csv, json, markdown, plain text). Required.</summary>
    public string? Type { get; init; }

    /// <summary>Name for people and the model, at most 200 characters. Without it the file's own name or the last part of the address.</summary>
    public string? Name { get; init; }

    /// <summary>What the sender takes it for. The content decides; among texts, which look alike, the name and then this does.</summary>
    public string? MediaType { get; init; }

    /// <summary>A file that was uploaded before.</summary>
    public Guid? FileId { get; init; }

    /// <summary>The content in base64; at most 20 MB of content, and 30 MB for the whole message.</summary>
    public JsonNode? Data { get; init; }

    /// <summary>An <c>http</c> or <c>https</c> address on the public internet that the server fetches now, at most 20 MB.</summary>
    public string? Url { get; init; }
}
