using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks;

internal static class ScheduledTasksConfigEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{ScheduledTasksConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentScheduledTasks").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(ScheduledTasksConfigResponse.From(false, new(new(), null), [])));
        config.MapPut("", Put).WithName("updateAgentScheduledTasks").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads whether an agent may have scheduled tasks, their limits, and those that are active or paused.</summary>
    private static async Task<Ok<ScheduledTasksConfigResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, ScheduledTaskStore tasks, CallerContext access, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var config = await configs.ReadAsync<ScheduledTasksConfig>(agent.OrgId, agentId, cancellationToken);
        return TypedResults.Ok(ScheduledTasksConfigResponse.From(agent.ScheduledTasksEnabled, config, await tasks.ListOpenAsync(TaskAuthor.Of(access, agentId), cancellationToken)));
    }

    /// <summary>Changes the fields that are sent. Switching off pauses the agent's tasks.</summary>
    private static async Task<Ok<ScheduledTasksConfigResponse>> Put(Guid agentId, JsonBody<ScheduledTasksConfigRequest> body, FlapjackDb db, AgentConfigs configs, ScheduledTaskStore tasks, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var enabled = body.Value.Enabled.Over(agent.ScheduledTasksEnabled, false);
        var config = await configs.MergeAsync<ScheduledTasksConfig>(agent.OrgId, agentId, body.Value.ApplyTo, cancellationToken, body.Value.Enabled.IsSet ? (at, stop) => SwitchAsync(at, agentId, enabled, time.Now(), stop) : null);
        return TypedResults.Ok(ScheduledTasksConfigResponse.From(enabled, config, await tasks.ListOpenAsync(TaskAuthor.Of(access, agentId), cancellationToken)));
    }

    private static async Task SwitchAsync(FlapjackDb db, Guid agentId, bool enabled, DateTime now, CancellationToken cancellationToken)
    {
        await db.Agents.Where(a => a.Id == agentId).ExecuteUpdateAsync(rows => rows.SetProperty(a => a.ScheduledTasksEnabled, enabled), cancellationToken);
        if (!enabled) await ScheduledTaskStore.PauseAllAsync(db, agentId, now, cancellationToken);
    }
}
