using Flapjack.Server.Models;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>Who brings keys of model providers for an agent's calls. Agents cannot know the feature that does: its configs are theirs.</summary>
internal interface IAgentKeys
{
    /// <summary>The keys of calls for this agent; null when it was never given anything.</summary>
    IModelKeys? For(EquipmentRequest request);
}
