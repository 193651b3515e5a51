using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Flapjack.Client;

/// <summary>A conversation with an agent.</summary>
public sealed record ConversationThread
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }

    /// <summary>The agent that answers.</summary>
    public required Guid AgentId { get; init; }

    /// <summary>Null until set.</summary>
    public string? Title { get; init; }

    /// <summary><c>single</c> or <c>multiplayer</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>active</c> or <c>archived</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Null = the agent's default.</summary>
    public string? ActiveProfile { get; init; }

    /// <summary>Text added to the system prompt.</summary>
    public string? SystemPromptOverlay { get; init; }

    /// <summary>Resources the conversation is about.</summary>
    public required JsonElement ResourceBindings { get; init; }

    /// <summary>Who started it.</summary>
    public string? UserId { get; init; }

    /// <summary>Client-side tool results are pending.</summary>
    public required bool AwaitingAction { get; init; }

    /// <summary>The turn that runs now.</summary>
    public Guid? ActiveTurnId { get; init; }

    /// <summary>The thread this one was forked from.</summary>
    public Guid? ParentThreadId { get; init; }

    /// <summary>The message it was forked at.</summary>
    public Guid? ForkedFromMessageId { get; init; }

    /// <summary>JSON object.</summary>
    public required JsonElement Metadata { get; init; }

    /// <summary>Time of creation, UTC; unique per agent.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Time of the last message or change, UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A page of threads.</summary>
public sealed record ThreadPage
{
    /// <summary>Newest first.</summary>
    public required IReadOnlyList<ConversationThread> Threads { get; init; }

    /// <summary>Pass it back as <c>cursor</c>; null on the last page.</summary>
    [JsonPropertyName("nextCursor")]
    public DateTimeOffset? NextCursor { get; init; }
}

/// <summary>Opens a thread.</summary>
public sealed record CreateThreadRequest : FlapjackRequest
{
    /// <summary>UUID of the agent. Required.</summary>
    public Guid? AgentId { get; init; }

    /// <summary>At most 300 characters.</summary>
    public string? Title { get; init; }

    /// <summary><c>single</c> (default) or <c>multiplayer</c>; fixed.</summary>
    public string? Kind { get; init; }

    /// <summary>At most 20 resources the conversation is about.</summary>
    public IReadOnlyList<ResourceBindingRequest>? ResourceBindings { get; init; }

    /// <summary>A key of the agent's profiles.</summary>
    public string? ActiveProfile { get; init; }

    /// <summary>Text, or texts that are joined with a blank line; at most 50,000 characters.</summary>
    public JsonNode? SystemPromptOverlay { get; init; }

    /// <summary>The application's own end user, at most 255 characters; API keys only.</summary>
    public string? UserId { get; init; }

    /// <summary>JSON object of at most 16 KB.</summary>
    public JsonNode? Metadata { get; init; }

    /// <summary>Organisation for callers of several.</summary>
    public Guid? OrgId { get; init; }
}

/// <summary>Changes the fields that are sent; <c>null</c> clears.</summary>
public sealed record ThreadChanges : FlapjackRequest
{
    /// <summary>A key of the agent's profiles; null = the agent's default.</summary>
    public string? ActiveProfile { get; init; }

    /// <summary>At most 300 characters.</summary>
    public string? Title { get; init; }

    /// <summary>Text, or texts that are joined with a blank line; at most 50,000 characters.</summary>
    public JsonNode? SystemPromptOverlay { get; init; }

    /// <summary><c>active</c> or <c>archived</c>.</summary>
    public string? Status { get; init; }

    /// <summary>At most 20 resources the conversation is about.</summary>
    public IReadOnlyList<ResourceBindingRequest>? ResourceBindings { get; init; }

    /// <summary>JSON object of at most 16 KB.</summary>
    public JsonNode? Metadata { get; init; }
}

/// <summary>Copies a thread up to a message.</summary>
public sealed record ForkRequest : FlapjackRequest
{
    /// <summary>UUID of the last message to copy; without it, everything is copied.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>Title of the new thread, at most 300 characters.</summary>
    public string? Title { get; init; }
}

/// <summary>Somebody who takes part in a multiplayer thread.</summary>
public sealed record Participant
{
    /// <summary>Account id or the application's own id.</summary>
    public required string UserId { get; init; }

    /// <summary>Name for people.</summary>
    public string? DisplayName { get; init; }

    /// <summary><c>owner</c> or <c>member</c>.</summary>
    public required string Role { get; init; }

    /// <summary>When they joined, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Adds somebody to a multiplayer thread, or changes how they take part.</summary>
public sealed record ParticipantRequest : FlapjackRequest
{
    /// <summary>Account id or the application's own id, at most 255 characters. Required.</summary>
    public string? UserId { get; init; }

    /// <summary>At most 200 characters.</summary>
    public string? DisplayName { get; init; }

    /// <summary><c>owner</c> or <c>member</c> (default).</summary>
    public string? Role { get; init; }
}
