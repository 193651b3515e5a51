namespace Flapjack.Server.Agents.Equipment;

/// <summary>How a turn came to be that another agent asked for.</summary>
/// <param name="Root">The turn that somebody started, at the top.</param>
/// <param name="Above">The agents that delegated down to this turn, outermost first.</param>
/// <param name="Left">How many delegations may still nest below this turn.</param>
internal sealed record DelegationChain(Guid Root, IReadOnlyList<Guid> Above, int Left);
