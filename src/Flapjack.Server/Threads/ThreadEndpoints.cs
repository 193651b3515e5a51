using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

internal static class ThreadEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var threads = app.MapGroup("/api/threads").WithTags("threads");
        threads.MapGet("", List).WithName("listThreads").From("doc").Access(Scopes.ThreadsRead).Demo(DemoWorld.Threads);
        threads.MapPost("", Create).WithName("createThread").From("doc").Access(Scopes.ThreadsWrite, Role.Member).Demo(DemoWorld.CreateThread);
        threads.MapGet("/{threadId:guid}", Get).WithName("getThread").From("ext").Access(Scopes.ThreadsRead).Demo(DemoWorld.Thread);
        threads.MapPatch("/{threadId:guid}", Update).WithName("updateThread").From("doc").Access(Scopes.ThreadsWrite, Role.Member).Demo(DemoWorld.UpdateThread);
        threads.MapDelete("/{threadId:guid}", Delete).WithName("deleteThread").From("ext").Access(Scopes.ThreadsWrite, Role.Member);
    }

    /// <summary>Lists the threads of an agent, newest first.</summary>
    private static async Task<Ok<ThreadPage>> List(HttpRequest request, FlapjackDb db, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var query = new Query(request);
        var agentId = query.Id("agentId", "agent_id") ?? throw ApiException.Invalid("agentId", "is required");
        var limit = query.Integer("limit", 50, 1, 100);
        var status = query.OneOf("status", "active", "active", "archived", "all");
        var scope = query.OneOf("scope", "own", "own", "org");
        if (scope == "org" && !access.SeesWholeOrg) throw ApiException.Forbidden("requires role: admin");
        await db.Agents.FindAnyAsync(agentId, cancellationToken);

        var all = access.Role is null || scope == "org" ? db.Threads : db.OwnThreads(access);
        var threads = all.AsNoTracking().Where(t => t.AgentId == agentId && !t.Hidden);
        if (status != "all") threads = threads.Where(t => t.Status == status);
        if (query.Text("userId", "user_id") is { Length: > 0 } user) threads = threads.Where(t => t.UserId == user);
        if (query.Time("cursor") is { } before) threads = threads.Where(t => t.CreatedAt < before);
        var page = await threads.OrderByDescending(t => t.CreatedAt).Take(limit + 1).ToListAsync(cancellationToken);
        DateTime? next = page.Count > limit ? page[limit - 1].CreatedAt : null;
        var now = time.Now();
        return TypedResults.Ok(new ThreadPage(page.Take(limit).Select(t => ThreadResponse.From(t, now)).ToList(), next));
    }

    /// <summary>Opens a thread with an agent.</summary>
    private static async Task<Ok<ThreadResponse>> Create(JsonBody<CreateThreadRequest> body, FlapjackDb db, CallerContext access, ThreadOpening opening, CancellationToken cancellationToken)
    {
        var request = body.Value;
        var errors = new FieldErrors();
        access.Choose(errors.Id("orgId", request.OrgId.Value));
        var agentId = errors.Id("agentId", request.AgentId.Value, required: true);
        var draft = ThreadDraft.From(request, access, errors);
        errors.ThrowIfAny();
        if (draft.ActiveProfile is { } profile)
        {
            var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId!.Value, cancellationToken);
            if (!AgentProfiles.Has(agent.ToolProfiles, profile)) throw ApiException.Invalid("activeProfile", "is not a key of the agent's tool profiles");
        }
        var thread = await opening.OpenAsync(draft, agentId!.Value, access, cancellationToken) ?? throw ApiException.NotFound("Agent");
        return TypedResults.Ok(ThreadResponse.From(thread, DateTime.MinValue));
    }

    /// <summary>Reads one thread.</summary>
    private static async Task<Ok<ThreadResponse>> Get(Guid threadId, FlapjackDb db, CallerContext access, TimeProvider time, CancellationToken cancellationToken) =>
        TypedResults.Ok(ThreadResponse.From(await db.FindThreadAsync(access, threadId, cancellationToken), time.Now()));

    /// <summary>Changes the fields that are sent; a running turn is unaffected.</summary>
    private static async Task<Ok<ThreadResponse>> Update(Guid threadId, JsonBody<UpdateThreadRequest> body, FlapjackDb db, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var thread = await db.FindThreadAsync(access, threadId, cancellationToken);
        var request = body.Value;
        var errors = new FieldErrors();
        if (request.Title.IsSet) errors.Text("title", thread.Title = request.Title.Value, 300);
        if (request.Status.IsSet) errors.OneOf("status", thread.Status = request.Status.Value ?? "active", "active", "archived");
        if (request.SystemPromptOverlay.IsSet) thread.SystemPromptOverlay = ThreadFields.Overlay(errors, "systemPromptOverlay", request.SystemPromptOverlay.Value);
        if (request.ResourceBindings.IsSet) thread.ResourceBindings = ThreadFields.Bindings(errors, "resourceBindings", request.ResourceBindings.Value);
        if (request.Metadata.IsSet) ApplyMetadata(thread, request.Metadata.Value, errors);
        if (request.ActiveProfile.IsSet) await ApplyProfileAsync(thread, request.ActiveProfile.Value, db, errors, cancellationToken);
        errors.ThrowIfAny();
        thread.UpdatedAt = time.Now();
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(ThreadResponse.From(thread, time.Now()));
    }

    /// <summary>Deletes a thread: stops its turn and removes its messages. Traces stay without their contents.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid threadId, FlapjackDb db, CallerContext access, ThreadRemoval removal, CancellationToken cancellationToken)
    {
        var thread = await db.FindThreadAsync(access, threadId, cancellationToken);
        await removal.RemoveAsync(thread, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static void ApplyMetadata(ConversationThread thread, JsonElement? metadata, FieldErrors errors)
    {
        errors.Object("metadata", metadata, FieldRules.MetadataBytes);
        thread.Metadata = metadata is { ValueKind: JsonValueKind.Object } value ? value.GetRawText() : "{}";
    }

    private static async Task ApplyProfileAsync(ConversationThread thread, string? profile, FlapjackDb db, FieldErrors errors, CancellationToken cancellationToken)
    {
        thread.ActiveProfile = profile;
        if (profile is null) return;
        var profiles = await db.Agents.Where(a => a.Id == thread.AgentId).Select(a => a.ToolProfiles).FirstOrDefaultAsync(cancellationToken);
        if (!AgentProfiles.Has(profiles, profile)) errors.Add("activeProfile", "is not a key of the agent's tool profiles");
    }
}
