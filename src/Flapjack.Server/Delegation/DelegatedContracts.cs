using System.Text.Json;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Delegation;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default. Lists are replaced as a whole.</summary>
public sealed record DelegatedRequest
{
    private static readonly DelegatedConfig Default = new();
    private static readonly JsonElement AnyObject = JsonElement.Parse("""{"type":"object","properties":{}}""");

    /// <summary>False (default): nothing is delegated.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>http or https address that receives the calls of <c>tools</c>.</summary>
    public Optional<string> EndpointUrl { get; init; }
    /// <summary>Signs those calls, 16 to 200 characters; write-only. <c>null</c>: the organisation's secret signs.</summary>
    public Optional<string> Secret { get; init; }
    /// <summary>Time for one call of the endpoint, 1,000 to 120,000; default 30,000.</summary>
    public Optional<int?> TimeoutMs { get; init; }
    /// <summary>Tools the endpoint runs, at most 64.</summary>
    public Optional<List<DelegatedToolRequest?>> Tools { get; init; }
    /// <summary>Agents that can be asked, at most 20. 404 for an unknown one.</summary>
    public Optional<List<SubAgentRequest?>> Agents { get; init; }
    /// <summary>How many delegations may nest, 1 to 5; default 2.</summary>
    public Optional<int?> MaxDepth { get; init; }
    /// <summary>Whether sub-agents are shown the last 20 messages of the thread; default false.</summary>
    public Optional<bool?> ShareContext { get; init; }

    /// <summary>The config with what was sent; faults of single values are added to <paramref name="errors"/>.</summary>
    internal DelegatedConfig ApplyTo(DelegatedConfig saved, string? sealedSecret, FieldErrors errors) => saved with
    {
        Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
        EndpointUrl = EndpointUrl.IsSet ? EndpointUrl.Value?.Trim() : saved.EndpointUrl,
        Secret = Secret.IsSet ? sealedSecret : saved.Secret,
        TimeoutMs = TimeoutMs.Over(saved.TimeoutMs, Default.TimeoutMs),
        Tools = Tools.IsSet ? [.. (Tools.Value ?? []).Select(ToolOf)] : saved.Tools,
        Agents = Agents.IsSet ? [.. (Agents.Value ?? []).Select((agent, i) => AgentOf(agent, i, errors)).OfType<SubAgent>()] : saved.Agents,
        MaxDepth = MaxDepth.Over(saved.MaxDepth, Default.MaxDepth),
        ShareContext = ShareContext.Over(saved.ShareContext, Default.ShareContext),
    };

    private static DelegatedTool ToolOf(DelegatedToolRequest? tool, int i)
    {
        if (tool is null) throw ApiException.BadRequest($"tools[{i}]: must be an object");
        if (tool.Parameters.Value is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) }) throw ApiException.BadRequest($"tools[{i}].parameters: must be an object");
        return new(tool.Name.Value ?? "", tool.Description.Value ?? "", tool.Parameters.Value is { ValueKind: JsonValueKind.Object } schema ? schema.Clone() : AnyObject);
    }

    private static SubAgent? AgentOf(SubAgentRequest? agent, int i, FieldErrors errors)
    {
        if (agent is null) throw ApiException.BadRequest($"agents[{i}]: must be an object");
        return errors.Id($"agents[{i}].agentId", agent.AgentId.Value, required: true) is { } id ? new(id, agent.Name.Value, agent.Description.Value) : null;
    }
}

/// <summary>A tool that the application's endpoint runs.</summary>
public sealed record DelegatedToolRequest
{
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c> without <c>__</c>.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>At most 4,000 characters; tells the model when to use it.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>JSON Schema of the arguments, at most 64 KB.</summary>
    public Optional<JsonElement?> Parameters { get; init; }
}

/// <summary>Another agent that can be asked.</summary>
public sealed record SubAgentRequest
{
    /// <summary>UUID of the agent.</summary>
    public Optional<string> AgentId { get; init; }
    /// <summary>Its name here, at most 200 characters; absent = its own. The tool is called after it.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>Tells the model when to ask it, at most 2,000 characters; absent = its own.</summary>
    public Optional<string> Description { get; init; }
}

/// <summary>To whom an agent hands work.</summary>
public sealed record DelegatedResponse
{
    /// <summary>False: nothing is delegated.</summary>
    public required bool Enabled { get; init; }
    /// <summary>Receives the calls of <c>tools</c>.</summary>
    public required string? EndpointUrl { get; init; }
    /// <summary>Whether a secret of its own signs them.</summary>
    public required bool HasSecret { get; init; }
    /// <summary>Time for one call of the endpoint.</summary>
    public required int TimeoutMs { get; init; }
    /// <summary>Tools the endpoint runs.</summary>
    public required IReadOnlyList<DelegatedToolResponse> Tools { get; init; }
    /// <summary>Agents that can be asked; deleted ones are left out.</summary>
    public required IReadOnlyList<SubAgentResponse> Agents { get; init; }
    /// <summary>How many delegations may nest.</summary>
    public required int MaxDepth { get; init; }
    /// <summary>Whether sub-agents are shown the last messages of the thread.</summary>
    public required bool ShareContext { get; init; }
    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    internal static DelegatedResponse From(DelegatedConfig config, IReadOnlyList<KnownSubAgent> agents, DateTime? updatedAt) => new()
    {
        Enabled = config.Enabled,
        EndpointUrl = config.EndpointUrl,
        HasSecret = config.Secret is not null,
        TimeoutMs = config.TimeoutMs,
        Tools = [.. config.Tools.Select(tool => new DelegatedToolResponse { Name = tool.Name, Description = tool.Description, Parameters = tool.Parameters })],
        Agents = [.. agents.Select(agent => new SubAgentResponse { AgentId = agent.Id, Name = agent.Name, Description = agent.Description })],
        MaxDepth = config.MaxDepth,
        ShareContext = config.ShareContext,
        UpdatedAt = updatedAt,
    };
}

/// <summary>A tool that the application's endpoint runs.</summary>
public sealed record DelegatedToolResponse
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>When to use it.</summary>
    public required string Description { get; init; }
    /// <summary>JSON Schema of the arguments.</summary>
    public required JsonElement Parameters { get; init; }
}

/// <summary>Another agent that can be asked.</summary>
public sealed record SubAgentResponse
{
    /// <summary>The agent.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>Its name here.</summary>
    public required string Name { get; init; }
    /// <summary>When to ask it.</summary>
    public required string? Description { get; init; }
}
