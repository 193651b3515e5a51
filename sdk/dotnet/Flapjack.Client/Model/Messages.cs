using System.Text.Json;

namespace Flapjack.Client;

/// <summary>A message as people see it.</summary>
public sealed record Message
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary><c>user</c>, <c>assistant</c>, or <c>tool</c> with <c>include=tools</c>.</summary>
    public required string Role { get; init; }

    /// <summary>The text; of a tool row its result.</summary>
    public required string Content { get; init; }

    /// <summary>Who wrote it.</summary>
    public string? SenderName { get; init; }

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The application's id of who wrote it.</summary>
    public string? SenderId { get; init; }

    /// <summary>Images and files.</summary>
    public required IReadOnlyList<MessageAttachment> Attachments { get; init; }

    /// <summary>True when the turn was stopped and this is what there was.</summary>
    public required bool Stopped { get; init; }

    /// <summary>Code of the error that ended the turn; null when it ended well.</summary>
    public string? Error { get; init; }

    /// <summary>Model of an answer.</summary>
    public string? Model { get; init; }

    /// <summary>The turn it belongs to.</summary>
    public Guid? TurnId { get; init; }

    /// <summary>Usage.</summary>
    public MessageUsage? Usage { get; init; }

    /// <summary>Calls of the answer's turn; only with <c>include=tools</c>.</summary>
    public IReadOnlyList<MessageToolCall>? ToolCalls { get; init; }

    /// <summary>Of a tool row: the call it answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Of a tool row: the tool.</summary>
    public string? ToolName { get; init; }

    /// <summary>Of a tool row: whether the call failed.</summary>
    public bool? IsError { get; init; }
}

/// <summary>A page of messages.</summary>
public sealed record MessagePage
{
    /// <summary>In the order asked for.</summary>
    public required IReadOnlyList<Message> Messages { get; init; }

    /// <summary>What the same query would return without paging.</summary>
    public required long Total { get; init; }
}

/// <summary>An image or file of a message.</summary>
public sealed record MessageAttachment
{
    /// <summary>The file; <c>GET /api/files/{fileId}/content</c> has its content.</summary>
    public required Guid FileId { get; init; }

    /// <summary><c>image</c> or <c>file</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required string MediaType { get; init; }

    /// <summary>Bytes.</summary>
    public required long SizeBytes { get; init; }
}

/// <summary>A tool call of an answer.</summary>
public sealed record MessageToolCall
{
    /// <summary>Id of the call.</summary>
    public required string Id { get; init; }

    /// <summary>Tool.</summary>
    public required string Name { get; init; }

    /// <summary>JSON text the model wrote.</summary>
    public required string Arguments { get; init; }
}

/// <summary>Tokens and cost of a turn.</summary>
public sealed record MessageUsage
{
    /// <summary>All prompt tokens, cached ones included.</summary>
    public required long InputTokens { get; init; }

    /// <summary>Tokens of the answer.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>Prompt tokens read from the provider's cache.</summary>
    public required long CacheReadTokens { get; init; }

    /// <summary>Prompt tokens written to it.</summary>
    public required long CacheWriteTokens { get; init; }

    /// <summary>US dollars, six decimals; null when the model has no price.</summary>
    public decimal? CostUsd { get; init; }
}

/// <summary>Knowledge behind an answer.</summary>
public sealed record MessageSources
{
    /// <summary>The answer.</summary>
    public required Guid MessageId { get; init; }

    /// <summary>Chunks put into the prompt of its turn; empty until this server has knowledge.</summary>
    public required IReadOnlyList<JsonElement> Sources { get; init; }
}
