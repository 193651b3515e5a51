using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Plans;

internal static class PlanEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var plans = app.MapGroup("/api/plans").WithTags("plans").From("doc");
        plans.MapGet("", List).WithName("listPlans").Access(Scopes.ThreadsRead).Demo(DemoWorld.EmptyList);
        plans.MapPost("", Create).WithName("createPlan").Access(Scopes.ThreadsWrite, Role.Member);
        plans.MapGet("/{planId:guid}", Get).WithName("getPlan").Access(Scopes.ThreadsRead).Demo(DemoWorld.NotFound);
        plans.MapPatch("/{planId:guid}", Update).WithName("updatePlan").Access(Scopes.ThreadsWrite, Role.Member);
        plans.MapDelete("/{planId:guid}", Delete).WithName("deletePlan").Access(Scopes.ThreadsWrite, Role.Member);
        plans.MapGet("/{planId:guid}/ready", Ready).WithName("listReadyTodos").Access(Scopes.ThreadsRead).Demo(DemoWorld.NotFound);
    }

    /// <summary>Lists plans with their todos, newest first.</summary>
    private static async Task<Ok<List<PlanResponse>>> List(HttpContext http, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var plans = db.VisiblePlans(access);
        if (query.Id("threadId", "thread_id") is { } thread) plans = plans.Where(p => p.ThreadId == thread);
        if (query.Id("agentId", "agent_id") is { } agent) plans = plans.Where(p => p.AgentId == agent);
        if (query.OneOf("status", "", PlanStatuses.Draft, PlanStatuses.Approved, PlanStatuses.InProgress, PlanStatuses.Completed, PlanStatuses.Cancelled) is { Length: > 0 } status) plans = plans.Where(p => p.Status == status);
        var page = await plans.OrderByDescending(p => p.CreatedAt).ThenByDescending(p => p.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok((await db.WithTodosAsync(page, cancellationToken)).ConvertAll(PlanResponse.From));
    }

    /// <summary>Makes a plan, with its todos or without any yet.</summary>
    private static async Task<Created<PlanResponse>> Create(JsonBody<CreatePlanRequest> body, FlapjackDb db, CallerContext access, AgentConfigs configs, PlanStore store, CancellationToken cancellationToken)
    {
        var request = body.Value;
        var errors = new FieldErrors();
        access.Choose(errors.Id("orgId", request.OrgId.Value));
        var threadId = errors.Id("threadId", request.ThreadId.Value, required: true);
        PlanFields.Title(errors, request.Title.Value);
        PlanFields.Description(errors, request.Description.Value);
        errors.OneOf("status", request.Status.Value, PlanStatuses.Draft, PlanStatuses.Approved);
        var todos = PlanFields.Sketches(errors, request.Todos.Value);
        errors.ThrowIfAny();
        var thread = await db.FindThreadAsync(access, threadId!.Value, cancellationToken);
        var config = (await configs.ReadAsync<PlanConfig>(thread.OrgId, thread.AgentId, cancellationToken)).Value;
        if (todos.Count > config.MaxTodos) throw TooMany(config);
        var board = await store.CreateAsync(new(thread.OrgId, thread.Id, thread.AgentId, request.Title.Value!, request.Description.Value, todos)
        {
            Approved = (request.Status.Value ?? (config.RequireApproval ? PlanStatuses.Draft : PlanStatuses.Approved)) == PlanStatuses.Approved,
            ApprovedBy = Approver(access),
        }, cancellationToken) ?? throw ApiException.NotFound("Thread");
        return TypedResults.Created($"/api/plans/{board.Plan.Id}", PlanResponse.From(board));
    }

    /// <summary>Reads one plan.</summary>
    private static async Task<Ok<PlanResponse>> Get(Guid planId, FlapjackDb db, CallerContext access, CancellationToken cancellationToken) =>
        TypedResults.Ok(PlanResponse.From(await db.FindBoardAsync(access, planId, cancellationToken)));

    /// <summary>Changes title, description or status: approves, cancels, reopens.</summary>
    private static async Task<Ok<PlanResponse>> Update(Guid planId, JsonBody<UpdatePlanRequest> body, FlapjackDb db, CallerContext access, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        var request = body.Value;
        var errors = new FieldErrors();
        if (request.Title.IsSet) PlanFields.Title(errors, request.Title.Value);
        PlanFields.Description(errors, request.Description.Value);
        PlanFields.PlanStatus(errors, request.Status.Value);
        errors.ThrowIfAny();
        return TypedResults.Ok(await store.ChangeAsync(plan.OrgId, planId, (board, now) =>
        {
            if (request.Title.IsSet) board.Plan.Title = request.Title.Value!;
            if (request.Description.IsSet) board.Plan.Description = request.Description.Value;
            if (request.Status.Value is { } status) board.Plan.MoveTo(status, Approver(access), now);
            return PlanResponse.From(board);
        }, cancellationToken));
    }

    /// <summary>Deletes a plan with its todos.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid planId, FlapjackDb db, CallerContext access, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        await store.RemoveAsync(plan.OrgId, planId, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Lists the todos that could be started now, in plan order.</summary>
    private static async Task<Ok<List<TodoResponse>>> Ready(Guid planId, HttpContext http, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var tree = (await db.FindBoardAsync(access, planId, cancellationToken)).Tree;
        return TypedResults.Ok(tree.Ordered.Where(item => tree.IsReady(item.Todo)).ToList().ToPage(http).ConvertAll(item => TodoResponse.From(item.Todo, item.Depth, tree)));
    }

    internal static ApiException TooMany(PlanConfig config) => ApiException.Invalid("todos", $"a plan of this agent has at most {config.MaxTodos} todos");

    private static string Approver(CallerContext access) => access.Caller.UserId?.ToString() ?? "key";
}
