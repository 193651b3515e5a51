using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents;

internal static class AgentEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var agents = app.MapGroup("/api/agents").WithTags("agents").From("doc");
        agents.MapGet("", List).WithName("listAgents").Access(Scopes.AgentsRead).Demo(DemoWorld.Agents);
        agents.MapGet("/{agentId:guid}", Get).WithName("getAgent").Access(Scopes.AgentsRead).Demo(DemoWorld.Agent);
        agents.MapPost("", Create).WithName("createAgent").Access(Scopes.AgentsWrite, Role.Member);
        agents.MapPatch("/{agentId:guid}", Update).WithName("updateAgent").Access(Scopes.AgentsWrite, Role.Member);
        agents.MapDelete("/{agentId:guid}", Delete).WithName("deleteAgent").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the organisation's agents, newest first, without their system prompts.</summary>
    private static async Task<Ok<List<JsonNode>>> List(HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", 1_000, 1, 1_000), query.Integer("offset", 0, 0, int.MaxValue));
        var agents = db.Agents.AsNoTracking().Alive().Search(query.Text("q"), query.Id("projectId", "project_id"));
        http.Response.Headers["X-Total-Count"] = (await agents.CountAsync(cancellationToken)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var rows = await agents.OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.Id).Skip(offset).Take(limit).ToListAsync(cancellationToken);
        var chats = await ChatsAsync(db, [.. rows.Select(a => a.Id)], cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(agent => WithoutPreamble(agent, [.. chats[agent.Id]])));
    }

    /// <summary>Reads one agent.</summary>
    private static async Task<Ok<AgentResponse>> Get(Guid agentId, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(await ShownAsync(await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken), db, cancellationToken));

    /// <summary>Creates an agent.</summary>
    private static async Task<Created<AgentResponse>> Create(JsonBody<AgentRequest> body, FlapjackDb db, AgentEditor editor, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.Required("name", body.Value.Name.Value, 200);
        access.Choose(errors.Id("orgId", body.Value.OrgId.Value));
        var now = time.Now();
        var agent = new Agent { Id = Ids.New(), OrgId = access.OrgId, Name = "", DefaultModel = await editor.DefaultModelAsync(cancellationToken), MaxToolCalls = editor.DefaultMaxToolCalls, CreatedAt = now, UpdatedAt = now };
        await editor.ApplyAsync(agent, body.Value with { Name = body.Value.Name.Value is null ? default : body.Value.Name }, errors, cancellationToken);
        // Turns ask for the tools of agents that have been given something.
        if (agent.ScheduledTasksEnabled) agent.Equipment = 1;
        db.Agents.Add(agent);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/agents/{agent.Id}", AgentResponse.From(agent, []));
    }

    /// <summary>Changes the fields that are sent; the next turn uses them.</summary>
    private static async Task<Ok<AgentResponse>> Update(Guid agentId, JsonBody<AgentRequest> body, FlapjackDb db, AgentEditor editor, IEnumerable<IAgentDependant> dependants, TimeProvider time, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.FindAliveAsync(agentId, cancellationToken);
        var (before, scheduled) = ((agent.Name, agent.Description), agent.ScheduledTasksEnabled);
        await editor.ApplyAsync(agent, body.Value, new FieldErrors(), cancellationToken);
        agent.UpdatedAt = time.Now();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        if (body.Value.ToolProfiles.IsSet && agent.ToolProfiles is null)
        {
            foreach (var dependant in dependants) await dependant.OnProfilesClearedAsync(agentId, cancellationToken);
        }
        if (before != (agent.Name, agent.Description))
        {
            foreach (var dependant in dependants) await dependant.OnRenamedAsync(agentId, cancellationToken);
        }
        if (scheduled != agent.ScheduledTasksEnabled)
        {
            foreach (var dependant in dependants) await dependant.OnSchedulingSwitchedAsync(agentId, agent.ScheduledTasksEnabled, cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(await ShownAsync(agent, db, cancellationToken));
    }

    /// <summary>Deletes an agent. Its threads are archived and stay readable.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid agentId, FlapjackDb db, AgentRemoval removal, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.FindAliveAsync(agentId, cancellationToken);
        await removal.RemoveAsync(agent, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static async Task<AgentResponse> ShownAsync(Agent agent, FlapjackDb db, CancellationToken cancellationToken) =>
        AgentResponse.From(agent, [.. (await ChatsAsync(db, [agent.Id], cancellationToken))[agent.Id]]);

    private static async Task<ILookup<Guid, AgentPublishedChat>> ChatsAsync(FlapjackDb db, List<Guid> agents, CancellationToken cancellationToken)
    {
        var chats = await db.Publications.Where(p => agents.Contains(p.AgentId)).OrderByDescending(p => p.CreatedAt).ThenByDescending(p => p.Id).Select(p => new { p.AgentId, p.Slug, p.IsActive }).ToListAsync(cancellationToken);
        return chats.ToLookup(p => p.AgentId, p => new AgentPublishedChat(p.Slug, p.IsActive));
    }

    private static JsonNode WithoutPreamble(Agent agent, IReadOnlyList<AgentPublishedChat> chats)
    {
        var node = JsonSerializer.SerializeToNode(AgentResponse.From(agent, chats), WireJson.Responses)!;
        node.AsObject().Remove("stable_preamble");
        return node;
    }
}
