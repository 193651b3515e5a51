using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Delegation;

/// <summary>The tools that a config makes. For turns that nobody delegated, which are nearly all, they are made once a change.</summary>
internal sealed class DelegatedKit
{
    private const int MaxName = 64;
    private readonly DelegatedConfig _config;
    private readonly DelegatedTurns _turns;
    private readonly IReadOnlyList<TurnTool> _endpointTools;
    private readonly List<(string Tool, KnownSubAgent Agent)> _agents = [];
    private List<TurnTool>? _outermost;

    public DelegatedKit(DelegatedConfig config, IReadOnlyList<KnownSubAgent> agents, DelegatedTurns turns, IReadOnlyList<TurnTool> endpointTools)
    {
        (_config, _turns, _endpointTools) = (config, turns, endpointTools);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var agent in agents) _agents.Add((Unused(SubAgent.ToolNameOf(agent.Name), names), agent));
    }

    public List<TurnTool> For(EquipmentRequest request) => request.Delegation is null ? _outermost ??= Make(request) : Make(request);

    private List<TurnTool> Make(EquipmentRequest request) =>
    [
        .. _agents.Select(agent => new TurnTool(
            new SubAgentTool(agent.Tool, agent.Agent, new(request.AgentId!.Value, request.Delegation, _config.MaxDepth), _config.ShareContext, _turns), SpanKind: "agent", Settles: true)),
        .. _endpointTools,
    ];

    // Names may become equal when they are cut down to what tools allow.
    private static string Unused(string name, HashSet<string> names)
    {
        var unused = name;
        for (var i = 2; !names.Add(unused); i++)
        {
            var suffix = $"_{i}";
            unused = name[..Math.Min(name.Length, MaxName - suffix.Length)] + suffix;
        }
        return unused;
    }
}
