namespace Flapjack.Server.Agents;

/// <summary>Something that goes, or changes, with an agent that is deleted. Features register one each; all run in the transaction that deletes the agent.</summary>
internal interface IAgentDependant
{
    Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken);
}
