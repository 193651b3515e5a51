using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads;

/// <summary>Opens a thread.</summary>
public sealed record CreateThreadRequest
{
    /// <summary>UUID of the agent. Required.</summary>
    public Optional<string> AgentId { get; init; }
    /// <summary>At most 300 characters.</summary>
    public Optional<string> Title { get; init; }
    /// <summary><c>single</c> (default) or <c>multiplayer</c>; fixed.</summary>
    public Optional<string> Kind { get; init; }
    /// <summary>At most 20 resources the conversation is about.</summary>
    public Optional<List<ResourceBindingRequest?>> ResourceBindings { get; init; }
    /// <summary>A key of the agent's profiles.</summary>
    public Optional<string> ActiveProfile { get; init; }
    /// <summary>Text, or texts that are joined with a blank line; at most 50,000 characters.</summary>
    public Optional<JsonElement?> SystemPromptOverlay { get; init; }
    /// <summary>The application's own end user, at most 255 characters; API keys only.</summary>
    public Optional<string> UserId { get; init; }
    /// <summary>JSON object of at most 16 KB.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
    /// <summary>Organisation for callers of several.</summary>
    public Optional<string> OrgId { get; init; }
}

/// <summary>Changes the fields that are sent; <c>null</c> clears.</summary>
public sealed record UpdateThreadRequest
{
    /// <summary>A key of the agent's profiles; null = the agent's default.</summary>
    public Optional<string> ActiveProfile { get; init; }
    /// <summary>At most 300 characters.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>Text, or texts that are joined with a blank line; at most 50,000 characters.</summary>
    public Optional<JsonElement?> SystemPromptOverlay { get; init; }
    /// <summary><c>active</c> or <c>archived</c>.</summary>
    public Optional<string> Status { get; init; }
    /// <summary>At most 20 resources the conversation is about.</summary>
    public Optional<List<ResourceBindingRequest?>> ResourceBindings { get; init; }
    /// <summary>JSON object of at most 16 KB.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
}

/// <summary>A conversation with an agent.</summary>
public sealed record ThreadResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>The agent that answers.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>Null until set.</summary>
    public required string? Title { get; init; }
    /// <summary><c>single</c> or <c>multiplayer</c>.</summary>
    public required string Kind { get; init; }
    /// <summary><c>active</c> or <c>archived</c>.</summary>
    public required string Status { get; init; }
    /// <summary>Null = the agent's default.</summary>
    public required string? ActiveProfile { get; init; }
    /// <summary>Text added to the system prompt.</summary>
    public required string? SystemPromptOverlay { get; init; }
    /// <summary>Resources the conversation is about.</summary>
    public required JsonElement ResourceBindings { get; init; }
    /// <summary>Who started it.</summary>
    public required string? UserId { get; init; }
    /// <summary>Client-side tool results are pending.</summary>
    public required bool AwaitingAction { get; init; }
    /// <summary>The turn that runs now.</summary>
    public required Guid? ActiveTurnId { get; init; }
    /// <summary>The thread this one was forked from.</summary>
    public required Guid? ParentThreadId { get; init; }
    /// <summary>The message it was forked at.</summary>
    public required Guid? ForkedFromMessageId { get; init; }
    /// <summary>JSON object.</summary>
    public required JsonElement Metadata { get; init; }
    /// <summary>Time of creation, UTC; unique per agent.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>Time of the last message or change, UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    private static readonly JsonElement NoBindings = JsonElement.Parse("[]");
    private static readonly JsonElement NoMetadata = JsonElement.Parse("{}");

    internal static ThreadResponse From(ConversationThread thread, DateTime now) => new()
    {
        Id = thread.Id,
        OrgId = thread.OrgId,
        AgentId = thread.AgentId,
        Title = thread.Title,
        Kind = thread.Kind,
        Status = thread.Status,
        ActiveProfile = thread.ActiveProfile,
        SystemPromptOverlay = thread.SystemPromptOverlay,
        ResourceBindings = thread.ResourceBindings == "[]" ? NoBindings : JsonElement.Parse(thread.ResourceBindings),
        UserId = thread.UserId,
        AwaitingAction = thread.IsAwaitingAction(now),
        ActiveTurnId = thread.ActiveTurnId,
        ParentThreadId = thread.ParentThreadId,
        ForkedFromMessageId = thread.ForkedFromMessageId,
        Metadata = thread.Metadata == "{}" ? NoMetadata : JsonElement.Parse(thread.Metadata),
        CreatedAt = thread.CreatedAt,
        UpdatedAt = thread.UpdatedAt,
    };
}

/// <summary>A page of threads.</summary>
/// <param name="Threads">Newest first.</param>
/// <param name="NextCursor">Pass it back as <c>cursor</c>; null on the last page.</param>
public sealed record ThreadPage(
    IReadOnlyList<ThreadResponse> Threads,
    [property: System.Text.Json.Serialization.JsonPropertyName("nextCursor")] DateTime? NextCursor);

/// <summary>Adds somebody to a multiplayer thread, or changes how they take part.</summary>
public sealed record ParticipantRequest
{
    /// <summary>Account id or the application's own id, at most 255 characters. Required.</summary>
    public Optional<string> UserId { get; init; }
    /// <summary>At most 200 characters.</summary>
    public Optional<string> DisplayName { get; init; }
    /// <summary><c>owner</c> or <c>member</c> (default).</summary>
    public Optional<string> Role { get; init; }
}

/// <summary>Somebody who takes part in a multiplayer thread.</summary>
/// <param name="UserId">Account id or the application's own id.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="Role"><c>owner</c> or <c>member</c>.</param>
/// <param name="CreatedAt">When they joined, UTC.</param>
public sealed record ParticipantResponse(string UserId, string? DisplayName, string Role, DateTime CreatedAt)
{
    internal static ParticipantResponse From(Participant participant) => new(participant.UserId, participant.DisplayName, participant.Role, participant.CreatedAt);
}
