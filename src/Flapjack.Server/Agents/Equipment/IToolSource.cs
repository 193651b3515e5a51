using Flapjack.Runtime.Tools;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>Something that gives an agent tools: webhooks, MCP servers, memory, plans. Sources are asked once per turn, before its first byte, in the order of their registration; on equal names the first wins.</summary>
internal interface IToolSource
{
    /// <summary>The tools this source offers to one turn. It answers from memory (<see cref="AgentEquipment"/>) where it can. A source that fails must not end the turn: it logs and returns none.</summary>
    ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken);
}
