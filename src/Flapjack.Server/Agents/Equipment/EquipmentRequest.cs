using System.Text.Json;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>For whom tools and prompt material are asked.</summary>
/// <param name="OrgId">The organisation.</param>
/// <param name="AgentId">Who will use them; null for a pipeline step without an agent.</param>
/// <param name="Version">The agent's <see cref="Agent.Equipment"/>.</param>
internal sealed record EquipmentRequest(Guid OrgId, Guid? AgentId, long Version)
{
    /// <summary>Null outside of threads.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary>For whom the turn runs, as the application knows them; null when unknown.</summary>
    public string? UserId { get; init; }

    /// <summary>The door the message came through, such as <c>api</c> or <c>schedule</c>; null outside of turns.</summary>
    public string? Source { get; init; }

    /// <summary>Set when another agent asked for the turn.</summary>
    public DelegationChain? Delegation { get; init; }

    /// <summary>Id of the model that will answer.</summary>
    public required string Model { get; init; }

    /// <summary>Resources the conversation is bound to, a JSON array.</summary>
    public string Bindings { get; init; } = "[]";

    /// <summary>Partial configs that came with the message, by config name (<c>web</c>, <c>memory</c>, <c>computer</c>, <c>plan</c>), in the caller's casing.</summary>
    public IReadOnlyDictionary<string, JsonElement> Overrides { get; init; } = new Dictionary<string, JsonElement>();
}
