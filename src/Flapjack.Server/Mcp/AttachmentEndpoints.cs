using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp;

internal static class AttachmentEndpoints
{
    private const int MaxAttempts = 5, MaxAllowed = 1_000;

    public static void Map(IEndpointRouteBuilder app)
    {
        var attached = app.MapGroup("/api/agents/{agentId:guid}/mcps").WithTags("agents");
        attached.MapGet("", List).WithName("listAgentMcps").From("chosen").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(Array.Empty<McpAttachmentResponse>()));
        attached.MapPost("", Attach).WithName("attachAgentMcp").From("doc").Access(Scopes.AgentsWrite, Role.Member);
        attached.MapDelete("", Detach).WithName("detachAgentMcp").From("chosen").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the MCP servers of an agent, in the order of attaching.</summary>
    private static async Task<Ok<List<McpAttachmentResponse>>> List(Guid agentId, HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var rows = await db.McpAttachments.AsNoTracking().Where(a => a.AgentId == agentId).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id)
            .Join(db.McpServers, a => a.McpServerId, s => s.Id, (a, s) => new { Attachment = a, Server = s }).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(row => McpAttachmentResponse.From(row.Attachment, row.Server)));
    }

    /// <summary>Gives a server to an agent, or changes which of its tools the agent may have.</summary>
    private static async Task<Results<Created<McpAttachmentResponse>, Ok<McpAttachmentResponse>>> Attach(Guid agentId, JsonBody<McpAttachmentRequest> body, FlapjackDb db, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        var serverId = errors.Id("mcpServerId", body.Value.McpServerId.Value, required: true);
        var allowed = McpEditor.Names("allowedTools", body.Value.AllowedTools.Value, MaxAllowed, errors);
        errors.ThrowIfAny();
        var server = await db.FindMcpAsync(serverId!.Value, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var row = await db.McpAttachments.FirstOrDefaultAsync(a => a.AgentId == agentId && a.McpServerId == serverId, cancellationToken);
            var isNew = row is null;
            if (row is null) db.McpAttachments.Add(row = new() { Id = Ids.New(), OrgId = access.OrgId, AgentId = agentId, McpServerId = server.Id, CreatedAt = time.Now() });
            row.AllowedTools = allowed;
            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }
            catch (DbUpdateException fault) when (isNew && attempt < MaxAttempts && DatabaseFaults.IsConflict(fault))
            {
                // Somebody attached it this very moment; then this is a change.
                db.Entry(row).State = EntityState.Detached;
                continue;
            }
            var answer = McpAttachmentResponse.From(row, server);
            return isNew ? TypedResults.Created((string?)null, answer) : TypedResults.Ok(answer);
        }
    }

    /// <summary>Takes a server from an agent.</summary>
    private static async Task<Ok<Deleted>> Detach(Guid agentId, JsonBody<McpAttachmentRequest> body, HttpRequest request, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        var serverId = errors.Id("mcpServerId", body.Value.McpServerId.Value ?? new Query(request).Text("mcpServerId", "mcp_server_id"), required: true);
        errors.ThrowIfAny();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.McpAttachments.Where(a => a.AgentId == agentId && a.McpServerId == serverId).ExecuteDeleteAsync(cancellationToken) == 0) throw ApiException.NotFound("MCP server");
        await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }
}
