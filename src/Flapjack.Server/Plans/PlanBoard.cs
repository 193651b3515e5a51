using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans;

/// <summary>A plan with all its todos, and what may be done to them. After each change parents follow their children and the plan follows its todos.</summary>
internal sealed class PlanBoard(Plan plan, IEnumerable<Todo> todos, IEnumerable<TodoDependency> dependencies)
{
    private readonly List<Todo> _todos = [.. todos];
    private readonly List<TodoDependency> _dependencies = [.. dependencies];
    private PlanTree? _tree;

    public Plan Plan => plan;

    public IReadOnlyList<Todo> Todos => _todos;

    public IReadOnlyList<TodoDependency> Dependencies => _dependencies;

    /// <summary>As the todos hang together now.</summary>
    public PlanTree Tree => _tree ??= new(_todos, _dependencies);

    /// <summary>A todo of this plan; 404 for others.</summary>
    public Todo Find(Guid id) => Tree.Find(id) ?? throw ApiException.NotFound("Todo");

    /// <summary>Adds a todo. The plan must be open.</summary>
    public Todo Add(TodoDraft draft, DateTime now)
    {
        RequireOpen();
        if (draft.ParentId is { } parent) Find(parent);
        foreach (var blocker in draft.BlockedBy) Find(blocker);
        RequireLevels(draft.ParentId, 1);
        var todo = new Todo { Id = Ids.New(), OrgId = plan.OrgId, PlanId = plan.Id, Position = int.MaxValue, Content = draft.Content, CreatedAt = now, UpdatedAt = now };
        _todos.Add(todo);
        Place(todo, draft.ParentId, draft.Position);
        foreach (var blocker in draft.BlockedBy.Distinct()) _dependencies.Add(EdgeOf(todo.Id, blocker, now));
        RequireNoCircle();
        SetStatus(todo, draft.Status, now);
        Settle(now);
        return todo;
    }

    public void SetStatus(Todo todo, string status, DateTime now)
    {
        if (status == todo.Status) return;
        RequireOpen();
        if (!Tree.IsLeaf(todo)) throw ApiException.Conflict("the status of a todo with children follows theirs");
        if (todo.Status != TodoStatuses.InProgress && status is TodoStatuses.InProgress or TodoStatuses.Done && Tree.IsBlocked(todo)) throw ApiException.Conflict("the todo waits for others that are not closed");
        todo.Become(status, now);
        Settle(now, started: status is TodoStatuses.InProgress or TodoStatuses.Done, closed: todo.IsClosed);
    }

    /// <summary>Hangs a todo under another parent (null = none), or at another place among its siblings.</summary>
    public void Move(Todo todo, Guid? parentId, int? position, DateTime now)
    {
        RequireOpen();
        if (parentId is { } parent)
        {
            Find(parent);
            if (Tree.BranchOf(todo).Any(t => t.Id == parent)) throw ApiException.Conflict("a todo cannot be under itself");
        }
        RequireLevels(parentId, Tree.HeightOf(todo.Id));
        Place(todo, parentId, position);
        RequireNoCircle();
        todo.UpdatedAt = now;
        Settle(now);
    }

    /// <summary>Takes a todo out, with everything under it.</summary>
    public void Remove(Todo todo, DateTime now)
    {
        var branch = Tree.BranchOf(todo).ToList();
        var gone = branch.Select(t => t.Id).ToHashSet();
        var hadWork = branch.Exists(t => Tree.IsLeaf(t) && !t.IsClosed);
        _todos.RemoveAll(t => gone.Contains(t.Id));
        _dependencies.RemoveAll(d => gone.Contains(d.TodoId) || gone.Contains(d.DependsOnId));
        _tree = null;
        Renumber(todo.ParentId);
        Settle(now, closed: hadWork);
    }

    /// <summary>Lets a todo wait for another. 409 when one would then wait for itself.</summary>
    public (TodoDependency Edge, bool IsNew) Depend(Todo todo, Todo blocker, DateTime now)
    {
        if (_dependencies.Find(d => d.TodoId == todo.Id && d.DependsOnId == blocker.Id) is { } known) return (known, false);
        var edge = EdgeOf(todo.Id, blocker.Id, now);
        _dependencies.Add(edge);
        RequireNoCircle();
        return (edge, true);
    }

    /// <summary>Lets a todo wait no longer. 404 when it does not.</summary>
    public void Release(Todo todo, Guid blockerId)
    {
        if (_dependencies.RemoveAll(d => d.TodoId == todo.Id && d.DependsOnId == blockerId) == 0) throw ApiException.NotFound("Dependency");
        _tree = null;
    }

    /// <summary>Todos that were made together with their plan.</summary>
    /// <param name="sketches">Depth first.</param>
    /// <param name="now">The time.</param>
    public void Fill(IReadOnlyList<SketchedTodo> sketches, DateTime now)
    {
        var ids = sketches.Select(_ => Ids.New()).ToList();
        var positions = new Dictionary<int, int>();
        for (var i = 0; i < sketches.Count; i++)
        {
            var (content, parent, blockers) = sketches[i];
            var position = positions[parent ?? -1] = positions.GetValueOrDefault(parent ?? -1, -1) + 1;
            _todos.Add(new() { Id = ids[i], OrgId = plan.OrgId, PlanId = plan.Id, ParentId = parent is { } at ? ids[at] : null, Position = position, Content = content, CreatedAt = now, UpdatedAt = now });
            foreach (var blocker in blockers.Distinct()) _dependencies.Add(EdgeOf(ids[i], ids[blocker], now));
        }
        RequireNoCircle();
    }

    private void Place(Todo todo, Guid? parentId, int? position)
    {
        var oldParent = todo.ParentId;
        var siblings = Tree.ChildrenOf(parentId);
        // Where it is, unless somebody says otherwise; under a new parent that is the end.
        var at = position ?? (oldParent == parentId && siblings.Contains(todo) ? siblings.IndexOf(todo) : siblings.Count);
        siblings.Remove(todo);
        siblings.Insert(Math.Min(at, siblings.Count), todo);
        todo.ParentId = parentId;
        for (var i = 0; i < siblings.Count; i++) siblings[i].Position = i;
        _tree = null;
        if (oldParent != parentId) Renumber(oldParent);
    }

    private void Renumber(Guid? parentId)
    {
        var siblings = Tree.ChildrenOf(parentId);
        for (var i = 0; i < siblings.Count; i++) siblings[i].Position = i;
    }

    // The plan moves with what happened, not with how its todos stand: one that was opened again has closed todos and is still to begin.
    private void Settle(DateTime now, bool started = false, bool closed = false)
    {
        _tree = null;
        foreach (var (todo, _) in Tree.Ordered.Reverse())
        {
            if (!Tree.IsLeaf(todo)) todo.Become(Tree.StatusByChildren(todo), now);
        }
        if (plan.IsClosed) return;
        // Work that began in the chat was approved in the chat.
        if (started) plan.Status = PlanStatuses.InProgress;
        if (closed && Tree.Leaves.Any() && Tree.Leaves.All(t => t.IsClosed)) plan.Status = PlanStatuses.Completed;
    }

    private void RequireOpen()
    {
        if (plan.IsClosed) throw ApiException.Conflict($"the plan is {plan.Status}; set it to approved to open it again");
    }

    private void RequireLevels(Guid? parentId, int height)
    {
        if (Tree.LevelOf(parentId) + height > PlanTree.MaxLevels) throw ApiException.Invalid("parentId", $"would nest todos deeper than {PlanTree.MaxLevels} levels");
    }

    private void RequireNoCircle()
    {
        _tree = null;
        if (Tree.HasCircle()) throw ApiException.Conflict("a todo would wait for itself");
    }

    private TodoDependency EdgeOf(Guid todo, Guid blocker, DateTime now) => new() { OrgId = plan.OrgId, PlanId = plan.Id, TodoId = todo, DependsOnId = blocker, CreatedAt = now };
}

/// <summary>A checked todo to add.</summary>
internal sealed record TodoDraft(string Content, Guid? ParentId = null, int? Position = null, string Status = TodoStatuses.Pending)
{
    public IReadOnlyList<Guid> BlockedBy { get; init; } = [];
}

/// <summary>A checked todo of a plan to make. Parent and blockers are places in the list it stands in.</summary>
internal sealed record SketchedTodo(string Content, int? Parent, IReadOnlyList<int> BlockedBy);
