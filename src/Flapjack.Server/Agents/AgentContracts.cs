using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents;

/// <summary>Creates an agent, or changes the fields that are sent. <c>null</c> clears a nullable field and restores the default of any other.</summary>
public sealed record AgentRequest
{
    /// <summary>1 to 200 characters. Required on creation.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>At most 2,000 characters.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>The system prompt, at most 200,000 characters.</summary>
    public Optional<string> StablePreamble { get; init; }
    /// <summary>A model id that resolves; see <c>GET /api/models</c>.</summary>
    public Optional<string> DefaultModel { get; init; }
    /// <summary>0 to 1; null = not sent to the provider.</summary>
    public Optional<double?> Temperature { get; init; }
    /// <summary>Profiles by name, at most 32; each has <c>tools</c> (names or globs) and may have <c>label</c>, <c>description</c>, <c>systemPromptOverlay</c>, <c>switchable</c>.</summary>
    public Optional<JsonElement?> ToolProfiles { get; init; }
    /// <summary>A key of <c>toolProfiles</c>.</summary>
    public Optional<string> DefaultProfile { get; init; }
    /// <summary>UUID of a project.</summary>
    public Optional<string> ProjectId { get; init; }
    /// <summary><c>tensorlake</c> or <c>modal</c>; stored and returned, no effect here.</summary>
    public Optional<string> RuntimeProvider { get; init; }
    /// <summary>Mirror of the scheduled-tasks config.</summary>
    public Optional<bool?> ScheduledTasksEnabled { get; init; }
    /// <summary>Server-side tool calls per turn, 1 to 100, default 10.</summary>
    public Optional<int?> MaxToolCalls { get; init; }
    /// <summary>1 to the model's maximum; null = the provider's default.</summary>
    public Optional<int?> MaxOutputTokens { get; init; }
    /// <summary>JSON object of at most 16 KB.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
    /// <summary>Organisation for callers of several; ignored on change.</summary>
    public Optional<string> OrgId { get; init; }
}

/// <summary>An agent. Lists leave <c>stable_preamble</c> out.</summary>
public sealed record AgentResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>Name shown to people.</summary>
    public required string Name { get; init; }
    /// <summary>What the agent is for.</summary>
    public required string? Description { get; init; }
    /// <summary>The system prompt; absent in lists.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? StablePreamble { get; init; }
    /// <summary>Model of turns that name none.</summary>
    public required string DefaultModel { get; init; }
    /// <summary>0 to 1; null = not sent to the provider.</summary>
    public required double? Temperature { get; init; }
    /// <summary>Profiles as given.</summary>
    public required JsonElement? ToolProfiles { get; init; }
    /// <summary>Profile of threads that name none.</summary>
    public required string? DefaultProfile { get; init; }
    /// <summary>Mirror of the scheduled-tasks config.</summary>
    public required bool ScheduledTasksEnabled { get; init; }
    /// <summary>Stored and returned, no effect here.</summary>
    public required string? RuntimeProvider { get; init; }
    /// <summary>Computer config; <c>{"enabled":false}</c> when there is none.</summary>
    public required AgentComputer Computer { get; init; }
    /// <summary>Published chats.</summary>
    public required IReadOnlyList<AgentPublishedChat> PublishedChats { get; init; }
    /// <summary>Project the agent is shown under.</summary>
    public required Guid? ProjectId { get; init; }
    /// <summary>Server-side tool calls per turn.</summary>
    public required int MaxToolCalls { get; init; }
    /// <summary>Null = the provider's default.</summary>
    public required int? MaxOutputTokens { get; init; }
    /// <summary>JSON object.</summary>
    public required JsonElement Metadata { get; init; }
    /// <summary>Time of creation, UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>Time of the last change, UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static AgentResponse From(Agent agent, IReadOnlyList<AgentPublishedChat> chats) => new()
    {
        Id = agent.Id,
        OrgId = agent.OrgId,
        Name = agent.Name,
        Description = agent.Description,
        StablePreamble = agent.StablePreamble,
        DefaultModel = agent.DefaultModel,
        Temperature = agent.Temperature,
        ToolProfiles = agent.ToolProfiles is null ? null : JsonElement.Parse(agent.ToolProfiles),
        DefaultProfile = agent.DefaultProfile,
        ScheduledTasksEnabled = agent.ScheduledTasksEnabled,
        RuntimeProvider = agent.RuntimeProvider,
        Computer = new(false),
        PublishedChats = chats,
        ProjectId = agent.ProjectId,
        MaxToolCalls = agent.MaxToolCalls,
        MaxOutputTokens = agent.MaxOutputTokens,
        Metadata = JsonElement.Parse(agent.Metadata),
        CreatedAt = agent.CreatedAt,
        UpdatedAt = agent.UpdatedAt,
    };
}

/// <summary>Whether the agent has a computer.</summary>
/// <param name="Enabled">False until computers exist on this server.</param>
public sealed record AgentComputer(bool Enabled);

/// <summary>A published chat of the agent.</summary>
/// <param name="Slug">Last part of its address.</param>
/// <param name="IsActive">False once unpublished.</param>
public sealed record AgentPublishedChat(string Slug, bool IsActive);
