using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Memory.Recall;

namespace Flapjack.Server.Memory.Tools;

/// <summary>The tools with which a model remembers, for agents whose memory is on.</summary>
internal sealed class MemoryTools(AgentConfigs configs, MemoryStore store, MemoryRecall recall) : IToolSource
{
    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request.AgentId is not { } agent) return [];
        var config = await MemoryConfig.ForTurnAsync(configs, request, cancellationToken);
        if (!config.Enabled) return [];
        var scopes = MemoryScope.OpenTo(config, agent, request.ThreadId, request.Bindings);
        if (scopes.Count == 0) return [];
        var desk = new MemoryDesk(store, recall, scopes, config.MaxMemories);
        return
        [
            Tool("memory_store", "Remembers a fact beyond this conversation: a preference, a decision, something about the user. One self-contained sentence each.", MemorySchemas.Store, desk.StoreAsync, idempotent: true),
            Tool("memory_recall", "Finds what was remembered earlier about something.", MemorySchemas.Recall, desk.RecallAsync, idempotent: true, planning: true),
            Tool("memory_forget", "Forgets a memory, by its id or by what it says.", MemorySchemas.Forget, desk.ForgetAsync),
        ];
    }

    private static TurnTool Tool(string name, string description, JsonElement schema, Func<ToolInput, CancellationToken, ValueTask<object?>> run, bool idempotent = false, bool planning = false) =>
        new(new ServerFunction(name, description, schema, run), Idempotent: idempotent, Planning: planning);
}
