namespace Flapjack.Server.Agents;

/// <summary>Something that goes, or changes, with an agent. Features register one each; all run in the transaction that changes the agent.</summary>
internal interface IAgentDependant
{
    Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken);

    /// <summary>The agent has no tool profiles any more.</summary>
    Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken);

    /// <summary>The agent has another name or description.</summary>
    Task OnRenamedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The agent may have scheduled tasks now, or may not any more.</summary>
    Task OnSchedulingSwitchedAsync(Guid agentId, bool enabled, CancellationToken cancellationToken) => Task.CompletedTask;
}
