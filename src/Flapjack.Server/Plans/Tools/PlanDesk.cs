using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans.Tools;

/// <summary>Carries out the plan tools of one turn. A model reaches the plans of its own thread only.</summary>
internal sealed class PlanDesk(PlanStore plans, PlanConfig config)
{
    public async ValueTask<object?> CreateAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var caller = input.Context.Caller;
        var errors = new FieldErrors();
        var (title, description) = (input.Text("title"), input.Text("description"));
        PlanFields.Title(errors, title);
        PlanFields.Description(errors, description);
        var sketched = Sketched(input);
        var board = await TryAsync(async () =>
        {
            var todos = PlanFields.Sketches(errors, sketched);
            errors.ThrowIfAny();
            RequireRoom(todos.Count);
            return await plans.CreateAsync(new(caller.OrgId, caller.ThreadId!.Value, caller.AgentId!.Value, title!, description, todos) { Approved = !config.RequireApproval }, cancellationToken);
        }) ?? throw new ToolException(ToolErrors.NotFound, "The conversation is gone.");
        return Told(input, board.Plan.Id, PlanResponse.From(board));
    }

    public async ValueTask<object?> UpdateAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var (title, description, status) = (input.Text("title"), input.Text("description"), input.Text("status"));
        if (title is not null) PlanFields.Title(errors, title);
        PlanFields.Description(errors, description);
        var plan = await PlanOfAsync(input, cancellationToken);
        var changed = await TryAsync(() =>
        {
            errors.ThrowIfAny();
            return plans.ChangeAsync(input.Context.Caller.OrgId, plan, (board, now) =>
            {
                if (title is not null) board.Plan.Title = title;
                if (description is not null) board.Plan.Description = description;
                if (status is not null) board.Plan.MoveTo(status, null, now);
                return PlanResponse.From(board);
            }, cancellationToken);
        });
        return Told(input, plan, changed);
    }

    public async ValueTask<object?> AddTodoAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var plan = await PlanOfAsync(input, cancellationToken);
        var request = new NewTodoRequest
        {
            Content = input.Text("content"),
            ParentId = input.Text("parent_id"),
            BlockedBy = input.Json("blocked_by")?.EnumerateArray().Select(id => id.GetString()).ToList(),
        };
        var added = await TryAsync(() =>
        {
            var errors = new FieldErrors();
            var draft = PlanFields.NewTodo(errors, request, "");
            errors.ThrowIfAny();
            return plans.ChangeAsync(input.Context.Caller.OrgId, plan, (board, now) =>
            {
                RequireRoom(board.Todos.Count + 1);
                return TodoResponse.From(board.Add(draft, now), board.Tree);
            }, cancellationToken);
        });
        return Told(input, plan, added);
    }

    public async ValueTask<object?> UpdateTodoAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var caller = input.Context.Caller;
        var todoId = input.Id("todo_id")!.Value;
        var plan = await plans.PlanOfTodoAsync(caller.OrgId, caller.ThreadId!.Value, todoId, cancellationToken) ?? throw new ToolException(ToolErrors.NotFound, "This conversation has no such todo.");
        var (content, note, status) = (input.Text("content"), input.Text("note"), input.Text("status"));
        var changed = await TryAsync(() =>
        {
            var errors = new FieldErrors();
            if (content is not null) errors.Required("content", content, Todo.MaxContent);
            errors.Text("note", note, Todo.MaxNote);
            errors.ThrowIfAny();
            return plans.ChangeAsync(caller.OrgId, plan, (board, now) =>
            {
                var todo = board.Find(todoId);
                if (content is not null) (todo.Content, todo.UpdatedAt) = (content, now);
                if (note is not null) (todo.Note, todo.UpdatedAt) = (note, now);
                if (status is not null) board.SetStatus(todo, status, now);
                return TodoResponse.From(todo, board.Tree);
            }, cancellationToken);
        });
        return Told(input, plan, changed);
    }

    private async ValueTask<Guid> PlanOfAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var (org, thread) = (input.Context.Caller.OrgId, input.Context.Caller.ThreadId!.Value);
        if (input.Id("plan_id") is not { } named) return (await plans.NewestOpenAsync(org, thread, cancellationToken))?.Plan.Id ?? throw new ToolException(ToolErrors.NotFound, "This conversation has no open plan. Make one with plan_create.");
        return await plans.IsOfThreadAsync(org, thread, named, cancellationToken) ? named : throw new ToolException(ToolErrors.NotFound, "This conversation has no such plan.");
    }

    private void RequireRoom(int todos)
    {
        if (todos > config.MaxTodos) throw new ToolException(ToolErrors.LimitExceeded, $"A plan has at most {config.MaxTodos} todos.");
    }

    private static JsonElement Told(ToolInput input, Guid plan, object result)
    {
        input.Context.EmitClientEvent("plan_updated", JsonSerializer.SerializeToElement(new { PlanId = plan }, WireJson.Responses));
        return JsonSerializer.SerializeToElement(result, WireJson.Responses);
    }

    // The rules refuse as they do towards clients; a model is told by the codes of tools.
    private static async Task<T> TryAsync<T>(Func<Task<T>> change)
    {
        try
        {
            return await change();
        }
        catch (ApiException refusal)
        {
            throw new ToolException(refusal.Status switch { 404 => ToolErrors.NotFound, 409 => ToolErrors.Conflict, _ => ToolErrors.InvalidArguments }, refusal.Detail, refusal);
        }
    }

    private static List<SketchedTodoRequest?>? Sketched(ToolInput input)
    {
        try
        {
            return input.Json("todos")?.Deserialize<List<SketchedTodoRequest?>>(WireJson.Requests);
        }
        catch (JsonException fault)
        {
            // The schema lets 5.0 pass for a whole number.
            throw new ToolException(ToolErrors.InvalidArguments, $"todos: cannot be read at {fault.Path}", fault);
        }
    }
}
