using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks;

internal static class ScheduledTaskEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var tasks = app.MapGroup($"/api/agents/{{agentId:guid}}/{ScheduledTasksConfig.Name}").WithTags("agents").From("ext");
        tasks.MapPost("", Create).WithName("createScheduledTask").Access(Scopes.AgentsWrite, Role.Member);
        tasks.MapPatch("/{taskId:guid}", Update).WithName("updateScheduledTask").Access(Scopes.AgentsWrite, Role.Member);
        tasks.MapDelete("/{taskId:guid}", Delete).WithName("deleteScheduledTask").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Makes a task. 409 when the agent may have none, or no more.</summary>
    private static async Task<Created<ScheduledTaskResponse>> Create(Guid agentId, JsonBody<ScheduledTaskRequest> body, FlapjackDb db, ScheduledTaskStore tasks, CallerContext access, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var thread = await ThreadAsync(db, access, agentId, body.Value, cancellationToken);
        var task = await tasks.CreateAsync(TaskAuthor.Of(access, agentId), body.Value, thread.Value, cancellationToken);
        return TypedResults.Created($"/api/agents/{agentId}/{ScheduledTasksConfig.Name}/{task.Id}", ScheduledTaskResponse.From(task));
    }

    /// <summary>Changes the fields that are sent; pauses a task or lets it go on. A new time counts from now.</summary>
    private static async Task<Ok<ScheduledTaskResponse>> Update(Guid agentId, Guid taskId, JsonBody<ScheduledTaskRequest> body, FlapjackDb db, ScheduledTaskStore tasks, CallerContext access, CancellationToken cancellationToken)
    {
        var author = TaskAuthor.Of(access, agentId);
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        if (!await author.TasksIn(db).AnyAsync(t => t.Id == taskId, cancellationToken)) throw ApiException.NotFound("Task");
        var thread = await ThreadAsync(db, access, agentId, body.Value, cancellationToken);
        return TypedResults.Ok(ScheduledTaskResponse.From(await tasks.ChangeAsync(author, taskId, body.Value, thread, cancellationToken)));
    }

    /// <summary>Deletes a task. A turn of it that runs goes on.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid agentId, Guid taskId, FlapjackDb db, ScheduledTaskStore tasks, CallerContext access, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        await tasks.RemoveAsync(TaskAuthor.Of(access, agentId), taskId, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static async Task<Optional<Guid?>> ThreadAsync(FlapjackDb db, CallerContext access, Guid agentId, ScheduledTaskRequest request, CancellationToken cancellationToken)
    {
        if (!request.ThreadId.IsSet) return default;
        var errors = new FieldErrors();
        var id = errors.Id("threadId", request.ThreadId.Value);
        errors.ThrowIfAny();
        if (id is not { } threadId) return new(null);
        var thread = await db.FindThreadAsync(access, threadId, cancellationToken);
        return thread.AgentId == agentId ? new(threadId) : throw ApiException.Invalid("threadId", $"the thread belongs to agent {thread.AgentId}");
    }
}
