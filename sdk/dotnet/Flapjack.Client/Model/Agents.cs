using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Client;

/// <summary>An agent. Lists leave <c>stable_preamble</c> out.</summary>
public sealed record Agent
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }

    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }

    /// <summary>What the agent is for.</summary>
    public string? Description { get; init; }

    /// <summary>The system prompt; absent in lists.</summary>
    public string? StablePreamble { get; init; }

    /// <summary>Model of turns that name none.</summary>
    public required string DefaultModel { get; init; }

    /// <summary>0 to 1; null = not sent to the provider.</summary>
    public double? Temperature { get; init; }

    /// <summary>Profiles as given.</summary>
    public required JsonElement ToolProfiles { get; init; }

    /// <summary>Profile of threads that name none.</summary>
    public string? DefaultProfile { get; init; }

    /// <summary>Mirror of the scheduled-tasks config.</summary>
    public required bool ScheduledTasksEnabled { get; init; }

    /// <summary>Stored and returned, no effect here.</summary>
    public string? RuntimeProvider { get; init; }

    /// <summary>Computer config; <c>{"enabled":false}</c> when there is none.</summary>
    public required AgentComputer Computer { get; init; }

    /// <summary>Published chats.</summary>
    public required IReadOnlyList<AgentPublishedChat> PublishedChats { get; init; }

    /// <summary>Project the agent is shown under.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>Server-side tool calls per turn.</summary>
    public required int MaxToolCalls { get; init; }

    /// <summary>Null = the provider's default.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>JSON object.</summary>
    public required JsonElement Metadata { get; init; }

    /// <summary>Time of creation, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Time of the last change, UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Whether the agent has a computer.</summary>
public sealed record AgentComputer
{
    /// <summary>False until computers exist on this server.</summary>
    public required bool Enabled { get; init; }
}

/// <summary>A published chat of the agent.</summary>
public sealed record AgentPublishedChat
{
    /// <summary>Last part of its address.</summary>
    public required string Slug { get; init; }

    /// <summary>False once unpublished.</summary>
    public required bool IsActive { get; init; }
}

/// <summary>Creates an agent, or changes the fields that are sent. <c>null</c> clears a nullable field and restores the default of any other.</summary>
public sealed record AgentRequest : FlapjackRequest
{
    /// <summary>1 to 200 characters. Required on creation.</summary>
    public string? Name { get; init; }

    /// <summary>At most 2,000 characters.</summary>
    public string? Description { get; init; }

    /// <summary>The system prompt, at most 200,000 characters.</summary>
    public string? StablePreamble { get; init; }

    /// <summary>A model id that resolves; see <c>GET /api/models</c>.</summary>
    public string? DefaultModel { get; init; }

    /// <summary>0 to 1; null = not sent to the provider.</summary>
    public double? Temperature { get; init; }

    /// <summary>Profiles by name, at most 32; each has <c>tools</c> (names or globs) and may have <c>label</c>, <c>description</c>, <c>systemPromptOverlay</c>, <c>switchable</c>.</summary>
    public JsonNode? ToolProfiles { get; init; }

    /// <summary>A key of <c>toolProfiles</c>.</summary>
    public string? DefaultProfile { get; init; }

    /// <summary>UUID of a project.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary><c>tensorlake</c> or <c>modal</c>; stored and returned, no effect here.</summary>
    public string? RuntimeProvider { get; init; }

    /// <summary>Mirror of the scheduled-tasks config.</summary>
    public bool? ScheduledTasksEnabled { get; init; }

    /// <summary>Server-side tool calls per turn, 1 to 100, default 10.</summary>
    public int? MaxToolCalls { get; init; }

    /// <summary>1 to the model's maximum; null = the provider's default.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>JSON object of at most 16 KB.</summary>
    public JsonNode? Metadata { get; init; }

    /// <summary>Organisation for callers of several; ignored on change.</summary>
    public Guid? OrgId { get; init; }
}

/// <summary>How an agent behaves in threads of several people.</summary>
public sealed record Multiplayer
{
    /// <summary>False: the agent answers every message of a multiplayer thread.</summary>
    public required bool Enabled { get; init; }

    /// <summary><c>mention</c> or <c>always</c>.</summary>
    public required string RespondMode { get; init; }

    /// <summary>Extra handles.</summary>
    public required IReadOnlyList<string> MentionNames { get; init; }

    /// <summary>Other agents that can be called by their handles; deleted ones are left out.</summary>
    public required IReadOnlyList<Guid> AdditionalAgents { get; init; }

    /// <summary>Whether user messages reach the model as <c>Name: text</c>.</summary>
    public required bool IncludeSenderNames { get; init; }

    /// <summary>People in one thread.</summary>
    public required int MaxParticipants { get; init; }

    /// <summary>The agent's own handle, made of its name; read-only.</summary>
    public required string Handle { get; init; }

    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record MultiplayerRequest : FlapjackRequest
{
    /// <summary>False (default): the agent answers every message of a multiplayer thread.</summary>
    public bool? Enabled { get; init; }

    /// <summary><c>mention</c> (default): only messages with one of the handles are answered. <c>always</c>: the agent also answers messages that call nobody.</summary>
    public string? RespondMode { get; init; }

    /// <summary>Extra handles, at most 10, each <c>^[a-z0-9_-]{2,40}$</c>.</summary>
    public IReadOnlyList<string>? MentionNames { get; init; }

    /// <summary>UUIDs of other agents that can be called by their handles, at most 10. 404 for an unknown one.</summary>
    public IReadOnlyList<string>? AdditionalAgents { get; init; }

    /// <summary>Whether user messages reach the model as <c>Name: text</c>; default true.</summary>
    public bool? IncludeSenderNames { get; init; }

    /// <summary>2 to 500, default 50.</summary>
    public int? MaxParticipants { get; init; }
}
