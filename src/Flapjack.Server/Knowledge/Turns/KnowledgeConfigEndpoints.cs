using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge.Turns;

internal static class KnowledgeConfigEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{KnowledgeConfig.Name}").WithTags("agents").From("ext");
        config.MapGet("", Get).WithName("getAgentKnowledge").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(KnowledgeConfigResponse.From(new(), null)));
        config.MapPut("", Put).WithName("updateAgentKnowledge").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads how an agent uses documents.</summary>
    private static async Task<Ok<KnowledgeConfigResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var saved = await configs.ReadAsync<KnowledgeConfig>(agent.OrgId, agentId, cancellationToken);
        return TypedResults.Ok(KnowledgeConfigResponse.From(saved.Value, saved.UpdatedAt));
    }

    /// <summary>Changes the fields that are sent; they hold from the next message on.</summary>
    private static async Task<Ok<KnowledgeConfigResponse>> Put(Guid agentId, JsonBody<KnowledgeConfigRequest> body, FlapjackDb db, AgentConfigs configs, EmbeddingModels models, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        body.Value.ApplyTo(new()).Check(errors, models);
        errors.ThrowIfAny();
        var saved = await configs.MergeAsync<KnowledgeConfig>(agent.OrgId, agentId, body.Value.ApplyTo, cancellationToken);
        return TypedResults.Ok(KnowledgeConfigResponse.From(saved.Value, saved.UpdatedAt));
    }
}
