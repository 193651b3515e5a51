using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Plans;

internal static class PlanConfigEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{PlanConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentPlan").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(PlanConfigResponse.From(new(new(), null))));
        config.MapPut("", Put).WithName("updateAgentPlan").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads whether and how an agent plans.</summary>
    private static async Task<Ok<PlanConfigResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(PlanConfigResponse.From(await configs.ReadAsync<PlanConfig>(agent.OrgId, agentId, cancellationToken)));
    }

    /// <summary>Changes the fields that are sent; they hold from the next turn on.</summary>
    private static async Task<Ok<PlanConfigResponse>> Put(Guid agentId, JsonBody<PlanConfigRequest> body, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(PlanConfigResponse.From(await configs.MergeAsync<PlanConfig>(agent.OrgId, agentId, body.Value.ApplyTo, cancellationToken)));
    }
}
