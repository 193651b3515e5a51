using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Memory;

/// <summary>Whether and what an agent remembers.</summary>
internal sealed record MemoryConfig : IAgentConfig
{
    private const int MostInjected = 50, MostMemories = 100_000;

    public static string Name => "memory";

    public bool Enabled { get; init; }

    /// <summary>After a turn a model looks for what is worth keeping.</summary>
    public bool AutoCollect { get; init; }

    /// <summary>Recalled memories are put before each turn.</summary>
    public bool AutoInject { get; init; } = true;

    public int InjectCount { get; init; } = 5;

    /// <summary>Of the agent, over all scopes. When there are more, those go that were not used for longest.</summary>
    public int MaxMemories { get; init; } = 1_000;

    public bool AgentScope { get; init; } = true;
    public bool ThreadScope { get; init; } = true;
    public bool ResourceScope { get; init; } = true;

    public void Check(FieldErrors errors)
    {
        errors.Range("injectCount", InjectCount, 1, MostInjected);
        errors.Range("maxMemories", MaxMemories, 1, MostMemories);
    }

    /// <summary>The config as it holds for a turn, fields of the message included; those out of range count as the nearest that is not.</summary>
    public static async ValueTask<MemoryConfig> ForTurnAsync(AgentConfigs configs, EquipmentRequest request, CancellationToken cancellationToken)
    {
        var config = await configs.ForTurnAsync<MemoryConfig>(request, cancellationToken);
        return config with { InjectCount = Math.Clamp(config.InjectCount, 1, MostInjected), MaxMemories = Math.Clamp(config.MaxMemories, 1, MostMemories) };
    }
}
