namespace Flapjack.Server.Agents.Equipment;

/// <summary>Something that happens after turns that ended well, such as keeping what was learnt. It must not hold anybody up: queue the work and return.</summary>
internal interface ITurnFollowUp
{
    /// <summary>A turn has been stored and its <c>done</c> sent.</summary>
    void TurnEnded(EndedTurn turn);
}

/// <summary>A turn that ended well.</summary>
/// <param name="For">Who asked.</param>
/// <param name="TurnId">The turn.</param>
/// <param name="Input">The user's text; null when there was none.</param>
/// <param name="Answer">The text of the whole turn.</param>
internal sealed record EndedTurn(EquipmentRequest For, Guid TurnId, string? Input, string Answer);
