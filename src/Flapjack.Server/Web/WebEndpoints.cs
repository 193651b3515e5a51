using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Web;

internal static class WebEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{WebConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentWeb").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(WebResponse.From(new(), null)));
        config.MapPut("", Put).WithName("updateAgentWeb").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads what an agent may do on the web.</summary>
    private static async Task<Ok<WebResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var saved = await configs.ReadAsync<WebConfig>(agent.OrgId, agentId, cancellationToken);
        return TypedResults.Ok(WebResponse.From(saved.Value, saved.UpdatedAt));
    }

    /// <summary>Changes the fields that are sent; the next turn has them.</summary>
    private static async Task<Ok<WebResponse>> Put(Guid agentId, JsonBody<WebRequest> body, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var saved = await configs.MergeAsync<WebConfig>(agent.OrgId, agentId, config => Changed(config, body.Value), cancellationToken);
        return TypedResults.Ok(WebResponse.From(saved.Value, saved.UpdatedAt));
    }

    private static WebConfig Changed(WebConfig saved, WebRequest request)
    {
        var errors = new FieldErrors();
        var changed = request.ApplyTo(saved);
        changed.Check(errors);
        errors.ThrowIfAny();
        return changed;
    }
}
