using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Plans;

internal static class TodoEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var todos = app.MapGroup("/api/plans/{planId:guid}/todos").WithTags("plans").From("doc");
        todos.MapPost("", Add).WithName("addTodos").Access(Scopes.ThreadsWrite, Role.Member);
        todos.MapPatch("/{todoId:guid}", Update).WithName("updateTodo").Access(Scopes.ThreadsWrite, Role.Member);
        todos.MapDelete("/{todoId:guid}", Delete).WithName("deleteTodo").Access(Scopes.ThreadsWrite, Role.Member);
        todos.MapGet("/{todoId:guid}/deps", ListDependencies).WithName("listTodoDependencies").Access(Scopes.ThreadsRead).Demo(DemoWorld.NotFound);
        todos.MapPost("/{todoId:guid}/deps", AddDependency).WithName("addTodoDependency").Access(Scopes.ThreadsWrite, Role.Member);
        todos.MapDelete("/{todoId:guid}/deps", RemoveDependency).WithName("removeTodoDependency").Access(Scopes.ThreadsWrite, Role.Member);
    }

    /// <summary>Adds a todo, or several. All of them are added or none.</summary>
    private static async Task<Results<Created<TodoResponse>, Created<List<TodoResponse>>>> Add(Guid planId, JsonBody<AddTodosRequest> body, FlapjackDb db, CallerContext access, AgentConfigs configs, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        var drafts = DraftsOf(body.Value);
        var config = (await configs.ReadAsync<PlanConfig>(plan.OrgId, plan.AgentId, cancellationToken)).Value;
        var added = await store.ChangeAsync(plan.OrgId, planId, (board, now) =>
        {
            var todos = drafts.ConvertAll(draft => board.Add(draft, now));
            if (board.Todos.Count > config.MaxTodos) throw PlanEndpoints.TooMany(config);
            return todos.ConvertAll(todo => TodoResponse.From(todo, board.Tree));
        }, cancellationToken);
        return body.Value.Todos.IsSet ? TypedResults.Created((string?)null, added) : TypedResults.Created((string?)null, added[0]);
    }

    /// <summary>Changes a todo: its text, status, note or place.</summary>
    private static async Task<Ok<TodoResponse>> Update(Guid planId, Guid todoId, JsonBody<UpdateTodoRequest> body, FlapjackDb db, CallerContext access, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        await RequireTodoAsync(db, access, planId, todoId, cancellationToken);
        var request = body.Value;
        var errors = new FieldErrors();
        if (request.Content.IsSet) errors.Required("content", request.Content.Value, Todo.MaxContent);
        errors.Text("note", request.Note.Value, Todo.MaxNote);
        var parent = errors.Id("parentId", request.ParentId.Value);
        errors.Range("position", request.Position.Value, 0, int.MaxValue);
        var status = PlanFields.TodoStatus(errors, "status", request.Status.Value);
        errors.ThrowIfAny();
        return TypedResults.Ok(await store.ChangeAsync(plan.OrgId, planId, (board, now) =>
        {
            var todo = board.Find(todoId);
            if (request.Content.IsSet) (todo.Content, todo.UpdatedAt) = (request.Content.Value!, now);
            if (request.Note.IsSet) (todo.Note, todo.UpdatedAt) = (request.Note.Value, now);
            if (request.ParentId.IsSet || request.Position.Value is not null) board.Move(todo, request.ParentId.IsSet ? parent : todo.ParentId, request.Position.Value, now);
            if (status is not null) board.SetStatus(todo, status, now);
            return TodoResponse.From(todo, board.Tree);
        }, cancellationToken));
    }

    /// <summary>Deletes a todo, with those under it and what waits for it.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid planId, Guid todoId, FlapjackDb db, CallerContext access, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        await store.ChangeAsync(plan.OrgId, planId, (board, now) =>
        {
            board.Remove(board.Find(todoId), now);
            return true;
        }, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Lists what a todo waits for.</summary>
    private static async Task<Ok<List<DependencyResponse>>> ListDependencies(Guid planId, Guid todoId, HttpContext http, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var board = await db.FindBoardAsync(access, planId, cancellationToken);
        board.Find(todoId);
        return TypedResults.Ok(board.Dependencies.Where(d => d.TodoId == todoId).OrderBy(d => d.CreatedAt).ThenBy(d => d.DependsOnId).ToList().ToPage(http).ConvertAll(DependencyResponse.From));
    }

    /// <summary>Lets a todo wait for another of the same plan.</summary>
    private static async Task<Results<Created<DependencyResponse>, Ok<DependencyResponse>>> AddDependency(Guid planId, Guid todoId, JsonBody<DependencyRequest> body, FlapjackDb db, CallerContext access, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        await RequireTodoAsync(db, access, planId, todoId, cancellationToken);
        var blocker = BlockerOf(body.Value, null);
        var (edge, isNew) = await store.ChangeAsync(plan.OrgId, planId, (board, now) => board.Depend(board.Find(todoId), board.Find(blocker), now), cancellationToken);
        return isNew ? TypedResults.Created((string?)null, DependencyResponse.From(edge)) : TypedResults.Ok(DependencyResponse.From(edge));
    }

    /// <summary>Lets a todo wait for another no longer.</summary>
    private static async Task<Ok<Deleted>> RemoveDependency(Guid planId, Guid todoId, JsonBody<DependencyRequest> body, HttpRequest request, FlapjackDb db, CallerContext access, PlanStore store, CancellationToken cancellationToken)
    {
        var plan = await db.FindPlanAsync(access, planId, cancellationToken);
        await RequireTodoAsync(db, access, planId, todoId, cancellationToken);
        var query = new Query(request);
        var blocker = BlockerOf(body.Value, query.Text("dependsOnId", "depends_on_id") ?? query.Text("blockerId", "blocker_id") ?? query.Text("dependsOn", "depends_on"));
        await store.ChangeAsync(plan.OrgId, planId, (board, _) =>
        {
            board.Release(board.Find(todoId), blocker);
            return true;
        }, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static List<TodoDraft> DraftsOf(AddTodosRequest request)
    {
        var errors = new FieldErrors();
        List<TodoDraft> drafts = [];
        if (!request.Todos.IsSet) drafts.Add(PlanFields.NewTodo(errors, request, ""));
        else if (request.Todos.Value is { Count: > 0 } several) drafts.AddRange(several.Select((todo, i) => PlanFields.NewTodo(errors, todo ?? throw ApiException.BadRequest($"todos[{i}]: must be an object"), $"todos[{i}].")));
        else errors.Add("todos", "is empty");
        errors.ThrowIfAny();
        return drafts;
    }

    private static Guid BlockerOf(DependencyRequest request, string? queried)
    {
        var errors = new FieldErrors();
        var id = errors.Id("dependsOnId", request.DependsOnId.Value ?? request.BlockerId.Value ?? request.DependsOn.Value ?? queried, required: true);
        errors.ThrowIfAny();
        return id!.Value;
    }

    // A todo in the path is looked for before the body is judged.
    private static async Task RequireTodoAsync(FlapjackDb db, CallerContext access, Guid planId, Guid todoId, CancellationToken cancellationToken) =>
        (await db.FindBoardAsync(access, planId, cancellationToken)).Find(todoId);
}
