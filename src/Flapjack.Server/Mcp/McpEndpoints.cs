using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp;

internal static class McpEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var mcps = app.MapGroup("/api/mcps").WithTags("mcp");
        mcps.MapGet("", List).WithName("listMcps").From("doc").Access(Scopes.McpRead).Demo(_ => TypedResults.Ok(Array.Empty<McpServerResponse>()));
        mcps.MapPost("", Create).WithName("createMcp").From("doc").Access(Scopes.McpWrite, McpServer.Editors);
        mcps.MapGet("/{mcpId:guid}", Get).WithName("getMcp").From("chosen").Access(Scopes.McpRead).Demo(DemoWorld.NotFound);
        mcps.MapPatch("/{mcpId:guid}", Update).WithName("updateMcp").From("chosen").Access(Scopes.McpWrite, McpServer.Editors);
        mcps.MapDelete("/{mcpId:guid}", Delete).WithName("deleteMcp").From("chosen").Access(Scopes.McpWrite, McpServer.Editors);
        mcps.MapPost("/{mcpId:guid}/test", Test).WithName("testMcp").From("doc").Access(Scopes.McpWrite, McpServer.Editors);
    }

    /// <summary>Lists the organisation's MCP servers, newest first.</summary>
    private static async Task<Ok<List<McpServerResponse>>> List(HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        var rows = await db.McpServers.AsNoTracking().OrderByDescending(s => s.CreatedAt).ThenByDescending(s => s.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(McpServerResponse.From));
    }

    /// <summary>Reads one server.</summary>
    private static async Task<Ok<McpServerResponse>> Get(Guid mcpId, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(McpServerResponse.From(await db.FindMcpAsync(mcpId, cancellationToken)));

    /// <summary>Adds a server. It is not connected to: test it, or let an agent's first turn list its tools.</summary>
    private static async Task<Created<McpServerResponse>> Create(JsonBody<McpServerRequest> body, CallerContext access, McpCreation creation, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var org = errors.Id("orgId", body.Value.OrgId.Value);
        errors.ThrowIfAny();
        access.Choose(org);
        var server = await creation.CreateAsync(body.Value, cancellationToken);
        return TypedResults.Created($"/api/mcps/{server.Id}", McpServerResponse.From(server));
    }

    /// <summary>Changes the fields that are sent. Another transport, address or program drops tokens and tools.</summary>
    private static async Task<Ok<McpServerResponse>> Update(Guid mcpId, JsonBody<McpServerRequest> body, FlapjackDb db, McpEditor editor, McpConnections connections, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var server = await db.FindOwnMcpAsync(mcpId, cancellationToken);
            var revision = server.Revision;
            await editor.ApplyAsync(server, body.Value, cancellationToken);
            server.UpdatedAt = time.Now();
            if (await SaveAsync(db, server, revision, cancellationToken))
            {
                connections.CloseOthers(mcpId, server.Revision);
                return TypedResults.Ok(McpServerResponse.From(server));
            }
            db.ChangeTracker.Clear();
        }
        throw ApiException.Conflict("the server is being changed by others; try again");
    }

    // False when it was changed since it was read: another address must not keep tokens that came meanwhile for this one.
    private static async Task<bool> SaveAsync(FlapjackDb db, McpServer server, int revision, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.McpServers.Where(s => s.Id == server.Id && s.Revision == revision).ExecuteUpdateAsync(set => set.SetProperty(s => s.Revision, revision), cancellationToken) == 0) return false;
        await db.SaveChangesAsync(cancellationToken);
        await db.McpChangedAsync(server.Id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Removes a server, and its tools from every agent.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid mcpId, FlapjackDb db, McpRemoval removal, CancellationToken cancellationToken)
    {
        await removal.RemoveAsync(await db.FindOwnMcpAsync(mcpId, cancellationToken), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Connects, lists the tools and keeps them. A failure is an answer too: <c>ok</c> is false.</summary>
    private static async Task<Ok<McpTestResponse>> Test(Guid mcpId, FlapjackDb db, ServerTools tools, McpConnections connections, CancellationToken cancellationToken)
    {
        var server = await db.FindMcpAsync(mcpId, cancellationToken);
        // A test says how connecting goes now, so it must not find a connection made before.
        connections.Close(mcpId);
        var listing = await tools.RenewAsync(ServerAccess.Of(server), cancellationToken);
        return TypedResults.Ok(listing.Fault is { } fault
            ? new McpTestResponse { Ok = false, Tools = [], Error = fault.Code, Detail = fault.Detail }
            : new McpTestResponse { Ok = true, Tools = [.. listing.Tools.Select(tool => new McpToolResponse(tool.Name, tool.Description))] });
    }
}
