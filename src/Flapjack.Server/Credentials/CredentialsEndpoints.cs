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

namespace Flapjack.Server.Credentials;

internal static class CredentialsEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var config = app.MapGroup($"/api/agents/{{agentId:guid}}/{CredentialsConfig.Name}").WithTags("agents").From("doc");
        config.MapGet("", Get).WithName("getAgentCredentials").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(CredentialsResponse.From(new(new(), null))));
        config.MapPut("", Put).WithName("updateAgentCredentials").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Reads whom an agent asks for its users' own keys of model providers.</summary>
    private static async Task<Ok<CredentialsResponse>> Get(Guid agentId, FlapjackDb db, AgentConfigs configs, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(CredentialsResponse.From(await configs.ReadAsync<CredentialsConfig>(agent.OrgId, agentId, cancellationToken)));
    }

    /// <summary>Changes the fields that are sent; the next turn follows them.</summary>
    private static async Task<Ok<CredentialsResponse>> Put(Guid agentId, JsonBody<CredentialsRequest> body, FlapjackDb db, AgentConfigs configs, EgressGuard guard, SecretBox secrets, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        var secret = body.Value.Secret.Value;
        if (secret is { Length: < 16 or > 200 }) errors.Add("secret", "must have 16 to 200 characters");
        if (body.Value.ResolverUrl.Value is { } address && await guard.RefusalAsync(address.Trim(), cancellationToken) is { } refusal) errors.Add("resolverUrl", refusal);
        var sealedSecret = secret is null ? null : secrets.Seal(secret, CredentialsConfig.Place(agent.OrgId, agentId));
        return TypedResults.Ok(CredentialsResponse.From(await configs.MergeAsync<CredentialsConfig>(agent.OrgId, agentId, Change, cancellationToken)));

        // Called again when somebody else saved meanwhile.
        CredentialsConfig Change(CredentialsConfig saved)
        {
            var changed = body.Value.ApplyTo(saved);
            var all = new FieldErrors();
            all.AddRange(errors);
            changed.Check(all);
            all.ThrowIfAny();
            return body.Value.Secret.IsSet ? changed with { Secret = sealedSecret } : changed;
        }
    }
}
