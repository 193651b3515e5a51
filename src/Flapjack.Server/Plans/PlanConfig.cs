using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans;

/// <summary>Whether and how an agent plans.</summary>
internal sealed record PlanConfig : IAgentConfig
{
    private const int LeastTodos = 1, MostTodos = 500;

    public static string Name => "plan";

    /// <summary>Offers the plan tools.</summary>
    public bool Enabled { get; init; }

    /// <summary>New plans are drafts until somebody approves them.</summary>
    public bool RequireApproval { get; init; } = true;

    /// <summary>Of one plan.</summary>
    public int MaxTodos { get; init; } = 100;

    public void Check(FieldErrors errors) => errors.Range("maxTodos", MaxTodos, LeastTodos, MostTodos);

    /// <summary>The config as it holds for a turn, fields of the message included; those out of range count as the nearest that is not.</summary>
    public static async ValueTask<PlanConfig> ForTurnAsync(AgentConfigs configs, EquipmentRequest request, CancellationToken cancellationToken)
    {
        var config = await configs.ForTurnAsync<PlanConfig>(request, cancellationToken);
        return config with { Enabled = config.Enabled || PlanModes.SwitchesOn(request.Overrides), MaxTodos = Math.Clamp(config.MaxTodos, LeastTodos, MostTodos) };
    }
}
