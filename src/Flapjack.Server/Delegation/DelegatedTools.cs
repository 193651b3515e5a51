using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Threads.Conversations;

namespace Flapjack.Server.Delegation;

/// <summary>Offers an agent the work it may hand on.</summary>
internal sealed class DelegatedTools(AgentConfigs configs, AgentEquipment equipment, ChildTurns turns) : IToolSource
{
    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request is { Version: 0 } or { AgentId: null }) return [];
        var config = await configs.ForTurnAsync<DelegatedConfig>(request, cancellationToken);
        if (!config.Enabled || config.Agents.Count == 0) return [];
        var known = await equipment.OfAsync(request, async (db, _, stop) => new Known(config, await SubAgents.KnownAsync(db, config, stop), turns), cancellationToken);
        return known.For(request);
    }

    /// <summary>The tools of an agent. For turns that nobody delegated, which are nearly all, they are made once a change.</summary>
    private sealed class Known
    {
        private readonly DelegatedConfig _config;
        private readonly List<(string Tool, KnownSubAgent Agent)> _agents = [];
        private readonly ChildTurns _turns;
        private List<TurnTool>? _outermost;

        public Known(DelegatedConfig config, IReadOnlyList<KnownSubAgent> agents, ChildTurns turns)
        {
            (_config, _turns) = (config, turns);
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var agent in agents)
            {
                var name = SubAgent.ToolNameOf(agent.Name);
                // Names may become equal after they were shortened to what tools allow.
                for (var i = 2; !names.Add(name); i++) name = $"{SubAgent.ToolNameOf(agent.Name)[..Math.Min(SubAgent.ToolNameOf(agent.Name).Length, 61)]}_{i}";
                _agents.Add((name, agent));
            }
        }

        public List<TurnTool> For(EquipmentRequest request) => request.Delegation is null ? _outermost ??= Make(request) : Make(request);

        private List<TurnTool> Make(EquipmentRequest request) => _agents.ConvertAll(agent => new TurnTool(
            new SubAgentTool(agent.Tool, agent.Agent, new(request.AgentId!.Value, request.Delegation, _config.MaxDepth), _config.ShareContext, _turns), SpanKind: "agent", Settles: true));
    }
}
