using Flapjack.Runtime.Turns;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>Something that puts text into the system prompt of a turn: memories, knowledge, the open plan. Sources are asked when the prompt is assembled, after <c>meta</c> was sent; their parts stand behind the resource bindings, in the order of registration.</summary>
internal interface IPromptSource
{
    /// <summary>The part for this turn; null when there is nothing to say. A source that fails must not end the turn: it logs, notes the fault in a span and returns null.</summary>
    ValueTask<PromptPart?> ReadAsync(PromptRequest request, CancellationToken cancellationToken);
}

/// <summary>A part of the system prompt.</summary>
/// <param name="Section">One of <see cref="Runtime.Prompts.PromptSection"/>.</param>
/// <param name="Text">What the model reads.</param>
internal sealed record PromptPart(string Section, string Text);

/// <summary>The turn whose prompt is assembled.</summary>
/// <param name="For">Who asks.</param>
/// <param name="TurnId">The turn.</param>
/// <param name="Query">The new message of the user; with the one before it when it is short.</param>
/// <param name="Trace">Adds a finished span to the turn's trace.</param>
internal sealed record PromptRequest(EquipmentRequest For, Guid TurnId, string Query, Action<TurnSpan> Trace)
{
    /// <summary>The turn has run before, and its prompt may have been assembled: a node took it over, or the client brought results.</summary>
    public bool IsContinued { get; init; }
}
