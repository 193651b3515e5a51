using System.Text.Json;

namespace Flapjack.Server.Agents.Equipment;

/// <summary>What a message asks about plans, in <c>planOverrides.mode</c>.</summary>
internal enum PlanMode
{
    /// <summary>Nothing: the agent's config decides.</summary>
    Off,

    /// <summary>Propose a plan and wait: only tools that plan or read are let through.</summary>
    Plan,

    /// <summary>Work on the open plan with all tools.</summary>
    Execute,
}

/// <summary>Reads the mode. The planner of turns and the plans themselves both need it.</summary>
internal static class PlanModes
{
    private const string Config = "plan";

    /// <summary><c>mode</c>, else <c>planMode: true</c> for <see cref="PlanMode.Plan"/>.</summary>
    public static PlanMode Of(IReadOnlyDictionary<string, JsonElement> overrides)
    {
        if (!overrides.TryGetValue(Config, out var plan)) return PlanMode.Off;
        if (plan.TryGetProperty("mode", out var mode) && mode.ValueKind == JsonValueKind.String)
            return mode.ValueEquals("plan") ? PlanMode.Plan : mode.ValueEquals("execute") ? PlanMode.Execute : PlanMode.Off;
        return IsTrue("planMode") || IsTrue("plan_mode") ? PlanMode.Plan : PlanMode.Off;

        bool IsTrue(string name) => plan.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;
    }

    /// <summary>A message that asks for a mode switches plans on, unless it says the contrary.</summary>
    public static bool SwitchesOn(IReadOnlyDictionary<string, JsonElement> overrides) =>
        Of(overrides) != PlanMode.Off && !overrides[Config].TryGetProperty("enabled", out _);
}
