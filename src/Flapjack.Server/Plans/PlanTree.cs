namespace Flapjack.Server.Plans;

/// <summary>The todos of a plan as they hang together at one moment.</summary>
internal sealed class PlanTree
{
    /// <summary>Levels of nesting.</summary>
    public const int MaxLevels = 4;

    private readonly ILookup<Guid?, Todo> _children;
    private readonly ILookup<Guid, Guid> _blockers;
    private readonly Dictionary<Guid, Todo> _byId;
    private readonly List<(Todo Todo, int Depth)> _ordered;

    public PlanTree(IReadOnlyCollection<Todo> todos, IEnumerable<TodoDependency> dependencies)
    {
        _byId = todos.ToDictionary(t => t.Id);
        _children = todos.OrderBy(t => t.Position).ThenBy(t => t.Id).ToLookup(t => t.ParentId);
        _blockers = dependencies.OrderBy(d => d.CreatedAt).ThenBy(d => d.DependsOnId).ToLookup(d => d.TodoId, d => d.DependsOnId);
        _ordered = new(todos.Count);
        Walk(null, 0);
    }

    /// <summary>Depth first, parents before their children.</summary>
    public IReadOnlyList<(Todo Todo, int Depth)> Ordered => _ordered;

    public IEnumerable<Todo> Leaves => _ordered.Select(item => item.Todo).Where(IsLeaf);

    public Todo? Find(Guid id) => _byId.GetValueOrDefault(id);

    public List<Todo> ChildrenOf(Guid? id) => [.. _children[id]];

    public IEnumerable<Guid> BlockersOf(Guid id) => _blockers[id];

    public bool IsLeaf(Todo todo) => !_children[todo.Id].Any();

    /// <summary>Levels from the root down to the todo, itself included; 0 for no todo.</summary>
    public int LevelOf(Guid? id)
    {
        var level = 0;
        for (var at = id; at is { } here; at = _byId[here].ParentId) level++;
        return level;
    }

    /// <summary>Levels from the todo down to its deepest descendant, itself included.</summary>
    public int HeightOf(Guid id) => 1 + _children[id].Select(child => HeightOf(child.Id)).DefaultIfEmpty(0).Max();

    /// <summary>The todo and everything under it.</summary>
    public IEnumerable<Todo> BranchOf(Todo todo) => _children[todo.Id].SelectMany(BranchOf).Prepend(todo);

    /// <summary>Something it waits for is open. What its parents wait for counts too: they can only wait through their children.</summary>
    public bool IsBlocked(Todo todo)
    {
        for (Todo? at = todo; at is not null; at = at.ParentId is { } parent ? Find(parent) : null)
        {
            if (_blockers[at.Id].Any(id => Find(id) is { IsClosed: false })) return true;
        }
        return false;
    }

    /// <summary>Could be started now. Only todos without children ever are.</summary>
    public bool IsReady(Todo todo) => todo.Status == TodoStatuses.Pending && IsLeaf(todo) && !IsBlocked(todo);

    /// <summary>The status a todo has by its children: done or skipped when all are closed, in progress from the first that starts.</summary>
    public string StatusByChildren(Todo todo)
    {
        var (closed, started, count) = (0, 0, 0);
        var anyDone = false;
        foreach (var child in _children[todo.Id])
        {
            count++;
            if (child.IsClosed) closed++;
            if (child.Status is TodoStatuses.InProgress or TodoStatuses.Done) started++;
            anyDone |= child.Status == TodoStatuses.Done;
        }
        return closed == count ? anyDone ? TodoStatuses.Done : TodoStatuses.Skipped : started > 0 ? TodoStatuses.InProgress : TodoStatuses.Pending;
    }

    /// <summary>Whether some todo would have to wait for itself.</summary>
    /// <remarks>
    /// Each todo has a start and an end. An end waits for the todo's own start and for the ends of its children; a start waits for the start of the parent and for the ends of its blockers.
    /// A circle among these can never be worked off, through whichever mixture of nesting and waiting it comes about.
    /// </remarks>
    public bool HasCircle()
    {
        List<(Guid Todo, bool End)> points = [.. _byId.Keys.Select(id => (id, false)), .. _byId.Keys.Select(id => (id, true))];
        var open = points.ToDictionary(point => point, point => Awaited(point).Count());
        var waiting = points.SelectMany(point => Awaited(point).Select(awaited => (Awaited: awaited, Point: point))).ToLookup(pair => pair.Awaited, pair => pair.Point);
        var reached = new Queue<(Guid Todo, bool End)>(points.Where(point => open[point] == 0));
        var count = 0;
        for (; reached.TryDequeue(out var point); count++)
        {
            foreach (var next in waiting[point]) if (--open[next] == 0) reached.Enqueue(next);
        }
        return count < points.Count;
    }

    private IEnumerable<(Guid Todo, bool End)> Awaited((Guid Todo, bool End) point)
    {
        if (point.End) return _children[point.Todo].Select(child => (child.Id, true)).Prepend((point.Todo, false));
        var blockers = _blockers[point.Todo].Where(_byId.ContainsKey).Select(id => (id, true));
        return _byId[point.Todo].ParentId is { } parent ? blockers.Prepend((parent, false)) : blockers;
    }

    private void Walk(Guid? parent, int depth)
    {
        foreach (var todo in _children[parent])
        {
            _ordered.Add((todo, depth));
            Walk(todo.Id, depth + 1);
        }
    }
}
