using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Delegation;

/// <summary>Whom an agent may ask, where it stands itself.</summary>
/// <param name="Agent">The agent that asks.</param>
/// <param name="Chain">How its turn came to be; null for a turn that a user started.</param>
/// <param name="MaxDepth">Delegations that its own config lets nest below it.</param>
internal sealed record DelegationRule(Guid Agent, DelegationChain? Chain, int MaxDepth)
{
    // Every agent above has its say: the strictest of them holds.
    private int Left => Math.Min(MaxDepth, Chain?.Left ?? MaxDepth);

    /// <summary>Why an agent cannot be asked; null when it can.</summary>
    public string? RefusalOf(Guid target) =>
        target == Agent || Chain?.Above.Contains(target) == true ? "This agent is already waiting for the answer: agents cannot delegate in a circle."
        : Left < 1 ? "Agents delegate to each other too deeply here. Do the task yourself or answer with what is known."
        : null;

    /// <summary>How the turn of an agent that is asked comes to be.</summary>
    /// <param name="turn">The turn that asks.</param>
    public DelegationChain Below(Guid turn) => new(Chain?.Root ?? turn, [.. Chain?.Above ?? [], Agent], Left - 1);
}
