using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Multiplayer;

internal static class MultiplayerEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{MultiplayerConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentMultiplayer").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(MultiplayerResponse.From(DemoWorld.AgentName, new(), null)));
        config.MapPut("", Put).WithName("updateAgentMultiplayer").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads how an agent behaves in threads of several people.</summary>
    private static async Task<Ok<MultiplayerResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(await ShownAsync(agent, await configs.ReadAsync<MultiplayerConfig>(agent.OrgId, agentId, cancellationToken), db, cancellationToken));
    }

    /// <summary>Changes the fields that are sent; the next message is treated by them.</summary>
    private static async Task<Ok<MultiplayerResponse>> Put(Guid agentId, JsonBody<MultiplayerRequest> body, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        Changed(new(), body.Value, agentId);
        if (body.Value.AdditionalAgents.IsSet) await RequireAgentsAsync(body.Value.ApplyTo(new(), new()).AdditionalAgents, db, cancellationToken);
        var saved = await configs.MergeAsync<MultiplayerConfig>(agent.OrgId, agentId, config => Changed(config, body.Value, agentId), cancellationToken);
        return TypedResults.Ok(await ShownAsync(agent, saved, db, cancellationToken));
    }

    private static MultiplayerConfig Changed(MultiplayerConfig saved, MultiplayerRequest request, Guid agentId)
    {
        var errors = new FieldErrors();
        var changed = request.ApplyTo(saved, errors);
        changed.Check(errors, agentId);
        errors.ThrowIfAny();
        return changed;
    }

    private static async Task RequireAgentsAsync(IReadOnlyList<Guid> ids, FlapjackDb db, CancellationToken cancellationToken)
    {
        if (await db.Agents.Alive().CountAsync(a => ids.Contains(a.Id), cancellationToken) < ids.Count) throw ApiException.NotFound("Agent");
    }

    // Agents that were deleted since are left out, so that what was read can be sent back.
    private static async Task<MultiplayerResponse> ShownAsync(Agent agent, SavedConfig<MultiplayerConfig> saved, FlapjackDb db, CancellationToken cancellationToken)
    {
        var config = saved.Value;
        if (config.AdditionalAgents.Count > 0)
        {
            var alive = await db.Agents.Alive().Where(a => config.AdditionalAgents.Contains(a.Id)).Select(a => a.Id).ToListAsync(cancellationToken);
            config = config with { AdditionalAgents = [.. config.AdditionalAgents.Where(alive.Contains)] };
        }
        return MultiplayerResponse.From(agent.Name, config, saved.UpdatedAt);
    }
}
