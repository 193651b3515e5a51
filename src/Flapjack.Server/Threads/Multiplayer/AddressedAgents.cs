namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>Who answers a message of a multiplayer thread. Stored with the turn, so that every later stream of it goes on alike.</summary>
/// <param name="Agents">In order; none when the message called nobody.</param>
/// <param name="WithNames">Whether user messages reach the models as <c>Name: text</c>.</param>
internal sealed record AddressedAgents(List<Guid> Agents, bool WithNames)
{
    /// <summary>An agent's place among them.</summary>
    public int LegOf(Guid agent) => Agents.IndexOf(agent);
}
