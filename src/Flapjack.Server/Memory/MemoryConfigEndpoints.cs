using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Memory;

internal static class MemoryConfigEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{MemoryConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentMemory").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(MemoryConfigResponse.From(new(new(), null), 0)));
        config.MapPut("", Put).WithName("updateAgentMemory").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads whether and what an agent remembers.</summary>
    private static async Task<Ok<MemoryConfigResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return await ShownAsync(agent, await configs.ReadAsync<MemoryConfig>(agent.OrgId, agentId, cancellationToken), db, cancellationToken);
    }

    /// <summary>Changes the fields that are sent; they hold from the next turn on.</summary>
    private static async Task<Ok<MemoryConfigResponse>> Put(Guid agentId, JsonBody<MemoryConfigRequest> body, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return await ShownAsync(agent, await configs.MergeAsync<MemoryConfig>(agent.OrgId, agentId, body.Value.ApplyTo, cancellationToken), db, cancellationToken);
    }

    private static async Task<Ok<MemoryConfigResponse>> ShownAsync(Agent agent, SavedConfig<MemoryConfig> saved, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(MemoryConfigResponse.From(saved, await db.Memories.CountAsync(m => m.AgentId == agent.Id, cancellationToken)));
}
