namespace Flapjack.Client;

public sealed partial class FlapjackClient
{
    /// <summary>Agents of the organisation, by name or description (<paramref name="q"/>).</summary>
    public Task<IReadOnlyList<Agent>> ListAgentsAsync(string? q = null, Guid? projectId = null, int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<Agent>>(With("api/agents", ("q", q), ("projectId", projectId), ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Makes an agent.</summary>
    public Task<Agent> CreateAgentAsync(AgentRequest agent, CancellationToken cancellationToken = default) => PostAsync<Agent>("api/agents", agent, cancellationToken);

    /// <summary>An agent.</summary>
    public Task<Agent> GetAgentAsync(Guid agentId, CancellationToken cancellationToken = default) => GetAsync<Agent>($"api/agents/{agentId}", cancellationToken);

    /// <summary>Changes an agent.</summary>
    public Task<Agent> UpdateAgentAsync(Guid agentId, AgentRequest changes, CancellationToken cancellationToken = default) => PatchAsync<Agent>($"api/agents/{agentId}", changes, cancellationToken);

    /// <summary>Removes an agent and archives its threads.</summary>
    public Task DeleteAgentAsync(Guid agentId, CancellationToken cancellationToken = default) => DeleteAsync($"api/agents/{agentId}", null, cancellationToken);

    /// <summary>How the agent takes part in multiplayer threads.</summary>
    public Task<Multiplayer> GetAgentMultiplayerAsync(Guid agentId, CancellationToken cancellationToken = default) => GetAsync<Multiplayer>($"api/agents/{agentId}/multiplayer", cancellationToken);

    /// <summary>Sets how the agent takes part in multiplayer threads.</summary>
    public Task<Multiplayer> UpdateAgentMultiplayerAsync(Guid agentId, MultiplayerRequest config, CancellationToken cancellationToken = default) => PutAsync<Multiplayer>($"api/agents/{agentId}/multiplayer", config, cancellationToken);
}
