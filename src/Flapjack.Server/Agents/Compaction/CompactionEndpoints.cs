using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Compaction;

internal static class CompactionEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{CompactionConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentCompaction").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(CompactionResponse.From(new(), null)));
        config.MapPut("", Put).WithName("updateAgentCompaction").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads when an agent's conversations are summarised.</summary>
    private static async Task<Ok<CompactionResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(Shown(await configs.ReadAsync<CompactionConfig>(agent.OrgId, agentId, cancellationToken)));
    }

    /// <summary>Changes the fields that are sent; the next turn goes by them.</summary>
    private static async Task<Ok<CompactionResponse>> Put(Guid agentId, JsonBody<CompactionRequest> body, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        body.Value.ApplyTo(new()).Check(errors);
        errors.ThrowIfAny();
        return TypedResults.Ok(Shown(await configs.MergeAsync<CompactionConfig>(agent.OrgId, agentId, body.Value.ApplyTo, cancellationToken)));
    }

    private static CompactionResponse Shown(SavedConfig<CompactionConfig> saved) => CompactionResponse.From(saved.Value, saved.UpdatedAt);
}
