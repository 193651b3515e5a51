using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tools;

internal static class AgentToolEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var tools = app.MapGroup("/api/agents/{agentId:guid}/tools").WithTags("agents").From("chosen");
        tools.MapGet("", List).WithName("listAgentTools").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(Array.Empty<AgentToolResponse>()));
        tools.MapPost("", Attach).WithName("attachAgentTool").Access(Scopes.AgentsWrite, Role.Member);
        tools.MapDelete("", Detach).WithName("detachAgentTool").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the webhook tools of an agent, in the order they were attached.</summary>
    private static async Task<Ok<List<AgentToolResponse>>> List(Guid agentId, HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var rows = from attached in db.AgentTools.AsNoTracking()
                   where attached.AgentId == agentId
                   join tool in db.Tools.AsNoTracking() on attached.ToolId equals tool.Id
                   orderby attached.CreatedAt, attached.Id
                   select new { attached, tool };
        return TypedResults.Ok((await rows.ToPageAsync(http, cancellationToken)).ConvertAll(row => AgentToolResponse.From(row.attached, row.tool)));
    }

    /// <summary>Gives an agent a webhook tool; 200 when it has it already.</summary>
    private static async Task<Results<Created<AgentToolResponse>, Ok<AgentToolResponse>>> Attach(Guid agentId, JsonBody<AgentToolRequest> body, FlapjackDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var tool = await db.FindToolAsync(IdOf(body.Value.ToolId.Value), cancellationToken);
        if (await FindAsync() is { } known) return TypedResults.Ok(AgentToolResponse.From(known, tool));
        var attached = new AgentTool { Id = Ids.New(), OrgId = agent.OrgId, AgentId = agentId, ToolId = tool.Id, CreatedAt = time.Now() };
        db.AgentTools.Add(attached);
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (DbUpdateException fault) when (fault.InnerException is { } inner && DatabaseFaults.IsDuplicate(inner))
        {
            // Somebody else attached it this very moment.
            return TypedResults.Ok(AgentToolResponse.From(await FindAsync() ?? throw ApiException.NotFound("Tool"), tool));
        }
        return TypedResults.Created((string?)null, AgentToolResponse.From(attached, tool));

        Task<AgentTool?> FindAsync() => db.AgentTools.AsNoTracking().FirstOrDefaultAsync(a => a.AgentId == agentId && a.ToolId == tool.Id, cancellationToken);
    }

    /// <summary>Takes a webhook tool from an agent. 404 when it does not have it.</summary>
    private static async Task<Ok<Deleted>> Detach(Guid agentId, JsonBody<AgentToolRequest> body, HttpRequest request, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var toolId = IdOf(body.Value.ToolId.Value ?? new Query(request).Text("toolId", "tool_id"));
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.AgentTools.Where(a => a.AgentId == agentId && a.ToolId == toolId).ExecuteDeleteAsync(cancellationToken) == 0) throw ApiException.NotFound("Tool");
        await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static Guid IdOf(string? sent)
    {
        var errors = new FieldErrors();
        var id = errors.Id("toolId", sent, required: true);
        errors.ThrowIfAny();
        return id!.Value;
    }
}
