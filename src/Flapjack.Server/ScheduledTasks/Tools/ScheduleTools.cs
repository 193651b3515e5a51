using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks.Tools;

/// <summary>The tools with which an agent makes appointments with itself. Visitors of published chats are not offered them: what they say must not go on costing its owner after they have left.</summary>
internal sealed class ScheduleTools(AgentEquipment equipment, ScheduledTaskStore tasks, Databases databases, TimeProvider time) : IToolSource
{
    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request is not { AgentId: not null, ThreadId: not null, Version: > 0 } || Caller.IsVisitor(request.UserId)) return [];
        if (!(await equipment.OfAsync(request, ReadAsync, cancellationToken)).IsOn) return [];
        var desk = new ScheduleDesk(tasks, databases, time);
        return
        [
            Tool("schedule_task", "Schedules a prompt that you will be given later, once or again and again, without anybody being there. Say when by exactly one of run_at, in_minutes, cron and every_minutes. The prompt must hold all you will need to know.", ScheduleSchemas.Schedule, desk.ScheduleAsync),
            Tool("list_scheduled_tasks", "Lists your scheduled tasks, those that are active or paused unless you name a status, and tells the time.", ScheduleSchemas.List, desk.ListAsync, idempotent: true, reads: true),
            Tool("update_scheduled_task", "Changes a scheduled task: what is said, when, where; pauses it or lets it go on.", ScheduleSchemas.Update, desk.UpdateAsync, idempotent: true),
            Tool("cancel_scheduled_task", "Deletes a scheduled task.", ScheduleSchemas.Cancel, desk.CancelAsync),
        ];
    }

    private static async Task<Switch> ReadAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken) =>
        new(await db.Agents.Where(a => a.Id == agentId).Select(a => a.ScheduledTasksEnabled).FirstOrDefaultAsync(cancellationToken));

    private static TurnTool Tool(string name, string description, JsonElement schema, Func<ToolInput, CancellationToken, ValueTask<object?>> run, bool idempotent = false, bool reads = false) =>
        new(new ServerFunction(name, description, schema, run), Idempotent: idempotent, Planning: reads);

    private sealed record Switch(bool IsOn);
}
