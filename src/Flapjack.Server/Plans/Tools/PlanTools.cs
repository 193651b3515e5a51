using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;

namespace Flapjack.Server.Plans.Tools;

/// <summary>The tools with which a model plans, for agents whose plan config is on and messages that ask for it.</summary>
internal sealed class PlanTools(AgentConfigs configs, PlanStore plans) : IToolSource
{
    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        // Plans belong to threads.
        if (request.AgentId is null || request.ThreadId is null) return [];
        var config = await PlanConfig.ForTurnAsync(configs, request, cancellationToken);
        if (!config.Enabled) return [];
        var desk = new PlanDesk(plans, config);
        return
        [
            Tool("plan_create", "Writes down a plan for this conversation: what is to be done, step by step. Use it before longer work. A plan whose status is draft needs the user's approval before the work begins.", PlanSchemas.PlanCreate, desk.CreateAsync),
            Tool("plan_update", "Changes title, description or status of the open plan of this conversation.", PlanSchemas.PlanUpdate, desk.UpdateAsync, idempotent: true),
            Tool("todo_add", "Adds a todo to the open plan of this conversation.", PlanSchemas.TodoAdd, desk.AddTodoAsync),
            Tool("todo_update", "Changes a todo: set it to in_progress when you begin it, to done or skipped when you end it.", PlanSchemas.TodoUpdate, desk.UpdateTodoAsync, idempotent: true),
        ];
    }

    private static TurnTool Tool(string name, string description, JsonElement schema, Func<ToolInput, CancellationToken, ValueTask<object?>> run, bool idempotent = false) =>
        new(new ServerFunction(name, description, schema, run), Idempotent: idempotent, Planning: true);
}
