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

internal static class ToolEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var tools = app.MapGroup("/api/tools").WithTags("tools");
        tools.MapGet("", List).WithName("listTools").From("doc").Access(Scopes.ToolsRead).Demo(_ => TypedResults.Ok(Array.Empty<ToolResponse>()));
        tools.MapPost("", Create).WithName("createTool").From("doc").Access(Scopes.ToolsWrite, Role.Member);
        tools.MapGet("/{toolId:guid}", Get).WithName("getTool").From("doc").Access(Scopes.ToolsRead).Demo(DemoWorld.NotFound);
        tools.MapPatch("/{toolId:guid}", Update).WithName("updateTool").From("doc").Access(Scopes.ToolsWrite, Role.Member);
        tools.MapDelete("/{toolId:guid}", Delete).WithName("deleteTool").From("doc").Access(Scopes.ToolsWrite, Role.Member);
        tools.MapPost("/{toolId:guid}/test", Test).WithName("testTool").From("ext").Access(Scopes.ToolsWrite, Role.Member);
    }

    /// <summary>Lists the organisation's webhook tools, newest first; with <c>agentId</c> those attached to the agent.</summary>
    private static async Task<Ok<List<ToolResponse>>> List(HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var tools = db.Tools.AsNoTracking().Search(query.Text("q"));
        if (query.Id("agentId", "agent_id") is { } agentId) tools = tools.Where(t => db.AgentTools.Any(a => a.AgentId == agentId && a.ToolId == t.Id));
        var rows = await tools.OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(ToolResponse.From));
    }

    /// <summary>Reads a webhook tool.</summary>
    private static async Task<Ok<ToolResponse>> Get(Guid toolId, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(ToolResponse.From(await db.FindToolAsync(toolId, cancellationToken)));

    /// <summary>Creates a webhook tool, and attaches it when <c>agentId</c> names an agent. 409 when the organisation has one of that name.</summary>
    private static async Task<Created<ToolResponse>> Create(JsonBody<ToolRequest> body, FlapjackDb db, ToolEditor editor, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        access.Choose(errors.Id("orgId", body.Value.OrgId.Value));
        var now = time.Now();
        var tool = new WebhookTool { Id = Ids.New(), OrgId = access.OrgId, Name = "", Description = "", Url = "", CreatedAt = now, UpdatedAt = now };
        await editor.ApplyAsync(tool, body.Value with { Name = new(body.Value.Name.Value), Description = new(body.Value.Description.Value), Url = new(body.Value.Url.Value) }, errors, cancellationToken);
        var agentId = errors.Id("agentId", body.Value.AgentId.Value);
        errors.ThrowIfAny();
        if (agentId is { } id)
        {
            await db.Agents.AsNoTracking().FindAliveAsync(id, cancellationToken);
            db.AgentTools.Add(new() { Id = Ids.New(), OrgId = tool.OrgId, AgentId = id, ToolId = tool.Id, CreatedAt = now });
        }
        db.Tools.Add(tool);
        await SaveAsync(db, tool, cancellationToken);
        return TypedResults.Created($"/api/tools/{tool.Id}", ToolResponse.From(tool));
    }

    /// <summary>Changes the fields that are sent; the next turn uses them.</summary>
    private static async Task<Ok<ToolResponse>> Update(Guid toolId, JsonBody<ToolRequest> body, FlapjackDb db, ToolEditor editor, TimeProvider time, CancellationToken cancellationToken)
    {
        var tool = await db.FindToolAsync(toolId, cancellationToken);
        var errors = new FieldErrors();
        await editor.ApplyAsync(tool, body.Value, errors, cancellationToken);
        errors.ThrowIfAny();
        tool.UpdatedAt = time.Now();
        await SaveAsync(db, tool, cancellationToken);
        return TypedResults.Ok(ToolResponse.From(tool));
    }

    /// <summary>Deletes a webhook tool and takes it from every agent.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid toolId, FlapjackDb db, CancellationToken cancellationToken)
    {
        var tool = await db.FindToolAsync(toolId, cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await AgentEquipment.ChangedAsync(db, db.AgentsWithTool(toolId), cancellationToken);
        await db.AgentTools.Where(a => a.ToolId == toolId).ExecuteDeleteAsync(cancellationToken);
        await db.Tools.Where(t => t.Id == tool.Id).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Calls the tool's endpoint as an agent would, with <c>X-Flapjack-Test: 1</c>, and says what came of it.</summary>
    private static async Task<Ok<ToolTestResponse>> Test(Guid toolId, JsonBody<ToolTestRequest> body, FlapjackDb db, ToolTrial trial, CallerContext access, CancellationToken cancellationToken)
    {
        var tool = await db.FindToolAsync(toolId, cancellationToken);
        return TypedResults.Ok(await trial.RunAsync(tool, body.Value.Arguments.Value, access.UserId, cancellationToken));
    }

    private static async Task SaveAsync(FlapjackDb db, WebhookTool tool, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await AgentEquipment.ChangedAsync(db, db.AgentsWithTool(tool.Id), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            // Deleted while the change was checked.
            throw ApiException.NotFound("Tool");
        }
        catch (DbUpdateException fault) when (fault.InnerException is { } inner && DatabaseFaults.IsDuplicate(inner))
        {
            throw ApiException.Conflict($"a tool named '{tool.Name}' exists already");
        }
    }
}
