using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Delegation;

internal static class DelegatedEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{DelegatedConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentDelegated").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(DelegatedResponse.From(new(), [], null)));
        config.MapPut("", Put).WithName("updateAgentDelegated").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads to whom an agent hands work.</summary>
    private static async Task<Ok<DelegatedResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(await ShownAsync(await configs.ReadAsync<DelegatedConfig>(agent.OrgId, agentId, cancellationToken), db, cancellationToken));
    }

    /// <summary>Changes the fields that are sent; the next turn offers what they say.</summary>
    private static async Task<Ok<DelegatedResponse>> Put(Guid agentId, JsonBody<DelegatedRequest> body, FlapjackDb db, AgentConfigs configs, SecretBox secrets, EgressGuard guard, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var request = body.Value;
        var errors = new FieldErrors();
        var sent = request.ApplyTo(new(), null, errors);
        sent.Check(errors, agentId);
        if (request.Secret.Value is { Length: < 16 or > 200 }) errors.Add("secret", "must have 16 to 200 characters");
        if (sent.EndpointUrl is { } address && await guard.RefusalAsync(address, cancellationToken) is { } refusal) errors.Add("endpointUrl", refusal);
        errors.ThrowIfAny();
        if ((await SubAgents.KnownAsync(db, sent, cancellationToken)).Count < sent.Agents.Count) throw ApiException.NotFound("Agent");
        var secret = request.Secret.Value is { } text ? secrets.Seal(text, DelegatedConfig.PlaceOfSecret(agent.OrgId, agentId)) : null;
        var saved = await configs.MergeAsync<DelegatedConfig>(agent.OrgId, agentId, config => request.ApplyTo(config, secret, new FieldErrors()), cancellationToken);
        return TypedResults.Ok(await ShownAsync(saved, db, cancellationToken));
    }

    private static async Task<DelegatedResponse> ShownAsync(SavedConfig<DelegatedConfig> saved, FlapjackDb db, CancellationToken cancellationToken) =>
        DelegatedResponse.From(saved.Value, await SubAgents.KnownAsync(db, saved.Value, cancellationToken), saved.UpdatedAt);
}
