using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>Something that knows what an agent was given: webhook tools, MCP servers, databases, documents. Asked by those who describe an agent; turns ask an <see cref="IToolSource"/>.</summary>
internal interface IEquipmentSource
{
    /// <summary>The first of what the agent has of this kind, oldest first. Names and descriptions only: never an address, a header or a secret.</summary>
    /// <param name="db">Sees only the agent's organisation.</param>
    /// <param name="agentId">The agent.</param>
    /// <param name="most">How many are enough.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    Task<IReadOnlyList<EquipmentItem>> ListAsync(FlapjackDb db, Guid agentId, int most, CancellationToken cancellationToken);
}

/// <summary>One thing that an agent was given.</summary>
/// <param name="Kind"><c>tool</c>, <c>mcp_server</c>, <c>database</c> or <c>document</c>.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Description">What it is for; null when nobody said.</param>
internal sealed record EquipmentItem(string Kind, string Name, string? Description);
