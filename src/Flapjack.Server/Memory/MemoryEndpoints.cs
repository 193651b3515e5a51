using System.Globalization;
using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Memory.Recall;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Memory;

internal static class MemoryEndpoints
{
    /// <summary>How far down a search can be paged.</summary>
    private const int MostRecalled = 1_000;

    public static void Map(IEndpointRouteBuilder app)
    {
        var memories = app.MapGroup("/api/agents/{agentId:guid}/memories").WithTags("agents").From("ext");
        memories.MapGet("", List).WithName("listMemories").Access(Scopes.KnowledgeRead).Demo(DemoWorld.AgentConfig(new MemoryPage([], null)));
        memories.MapPost("", Create).WithName("createMemory").Access(Scopes.KnowledgeWrite, Role.Member);
        memories.MapDelete("", DeleteSome).WithName("deleteMemories").Access(Scopes.KnowledgeWrite, Role.Member);
        memories.MapDelete("/{memoryId:guid}", Delete).WithName("deleteMemory").Access(Scopes.KnowledgeWrite, Role.Member);
    }

    /// <summary>Lists what an agent remembers, newest first; with <c>q</c> what fits it, best first.</summary>
    private static async Task<Ok<MemoryPage>> List(Guid agentId, HttpRequest request, FlapjackDb db, CallerContext access, MemoryRecall recall, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var query = new Query(request);
        var limit = query.Integer("limit", 50, 1, 200);
        var scope = query.OneOf("scope", "", MemoryScope.Agent, MemoryScope.Thread, MemoryScope.Resource);
        var scopeId = query.Text("scopeId", "scope_id");
        var cursor = CursorOf(query.Text("cursor"));
        if (query.Text("q") is { Length: > 0 } asked)
        {
            var from = (int)Math.Min(cursor ?? 0, MostRecalled);
            var found = await recall.FindAsync(new(agent.OrgId, agentId, null, asked, Math.Min(from + limit + 1, MostRecalled)) { Visible = (context, rows) => Chosen(context, rows, access, scope, scopeId) }, cancellationToken);
            var page = found.Skip(from).Take(limit).Select(r => MemoryResponse.From(r.Memory, r.Score)).ToList();
            return TypedResults.Ok(new MemoryPage(page, found.Count > from + limit ? (from + limit).ToString(CultureInfo.InvariantCulture) : null));
        }
        var memories = Chosen(db, db.Memories.AsNoTracking().Where(m => m.AgentId == agentId), access, scope, scopeId);
        if (cursor is { } before) memories = memories.Where(m => m.Number < before);
        var rows = await memories.OrderByDescending(m => m.Number).Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(new MemoryPage([.. rows.Take(limit).Select(m => MemoryResponse.From(m))], rows.Count > limit ? rows[limit - 1].Number.ToString(CultureInfo.InvariantCulture) : null));
    }

    /// <summary>Stores a memory. When the agent has as many as its config allows, the one goes that was not used for longest.</summary>
    private static async Task<Created<MemoryResponse>> Create(Guid agentId, JsonBody<CreateMemoryRequest> body, FlapjackDb db, CallerContext access, AgentConfigs configs, MemoryStore store, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var request = body.Value;
        var errors = new FieldErrors();
        errors.Required("content", request.Content.Value, MemoryEntry.MaxContent);
        var scope = ScopeOf(errors, agentId, request);
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        errors.ThrowIfAny();
        if (scope!.Kind == MemoryScope.Thread) await db.FindThreadAsync(access, Guid.Parse(scope.Id), cancellationToken);
        var config = (await configs.ReadAsync<MemoryConfig>(agent.OrgId, agentId, cancellationToken)).Value;
        var memory = await store.StoreAsync(new(agent.OrgId, agentId, scope, request.Content.Value!, MemorySources.Api, config.MaxMemories)
        {
            Metadata = request.Metadata.Value is { ValueKind: JsonValueKind.Object } metadata ? metadata.GetRawText() : "{}",
        }, cancellationToken);
        return TypedResults.Created((string?)null, MemoryResponse.From(memory));
    }

    /// <summary>Deletes memories of a scope, or all of them.</summary>
    private static async Task<Ok<MemoriesDeleted>> DeleteSome(Guid agentId, JsonBody<DeleteMemoriesRequest> body, HttpRequest request, FlapjackDb db, CallerContext access, MemoryStore store, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var query = new Query(request);
        var scope = body.Value.Scope.Value ?? query.Text("scope") ?? "";
        var scopeId = body.Value.ScopeId.Value ?? query.Text("scopeId", "scope_id");
        var errors = new FieldErrors();
        if (scope.Length > 0) errors.OneOf("scope", scope, MemoryScope.Agent, MemoryScope.Thread, MemoryScope.Resource);
        if (scope.Length == 0 && string.IsNullOrEmpty(scopeId) && !(body.Value.All.Value ?? query.Flag("all", false))) errors.Add("scope", "is required, or scopeId, or all=true");
        errors.ThrowIfAny();
        var deleted = await store.ForgetAsync(agent.OrgId, context => Chosen(context, context.Memories.Where(m => m.AgentId == agentId), access, scope, scopeId), cancellationToken);
        return TypedResults.Ok(new MemoriesDeleted(true, deleted));
    }

    /// <summary>Deletes one memory.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid agentId, Guid memoryId, FlapjackDb db, CallerContext access, MemoryStore store, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var deleted = await store.ForgetAsync(agent.OrgId, context => Chosen(context, context.Memories.Where(m => m.AgentId == agentId && m.Id == memoryId), access, "", null), cancellationToken);
        return deleted == 1 ? TypedResults.Ok(Deleted.Ok) : throw ApiException.NotFound("Memory");
    }

    // What was said in a thread is for those who see the thread.
    private static IQueryable<MemoryEntry> Chosen(FlapjackDb db, IQueryable<MemoryEntry> memories, CallerContext access, string scope, string? scopeId)
    {
        if (scope.Length > 0) memories = memories.Where(m => m.Scope == scope);
        if (!string.IsNullOrEmpty(scopeId)) memories = memories.Where(m => m.ScopeId == scopeId);
        if (access.SeesWholeOrg) return memories;
        var threads = db.VisibleThreads(access).Select(t => t.Id);
        return memories.Where(m => m.ThreadId == null || threads.Contains(m.ThreadId.Value));
    }

    private static MemoryScope? ScopeOf(FieldErrors errors, Guid agentId, CreateMemoryRequest request)
    {
        var id = request.ScopeId.Value;
        switch (request.Scope.Value ?? MemoryScope.Agent)
        {
            case MemoryScope.Agent:
                return MemoryScope.OfAgent(agentId);
            case MemoryScope.Thread:
                return errors.Id("scopeId", id, required: true) is { } thread ? MemoryScope.OfThread(thread) : null;
            case MemoryScope.Resource:
                errors.Required("scopeId", id, 400);
                if (id?.IndexOf(':', StringComparison.Ordinal) is 0 or -1 || id?.EndsWith(':') == true) errors.Add("scopeId", "must be <type>:<id>");
                return MemoryScope.OfResource(id ?? "");
            default:
                errors.Add("scope", "must be one of agent, thread, resource");
                return null;
        }
    }

    private static long? CursorOf(string? text) => text switch
    {
        null or "" => null,
        _ => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor) ? cursor : throw ApiException.Invalid("cursor", "is malformed"),
    };
}
