using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans;

/// <summary>A todo to add.</summary>
public record NewTodoRequest
{
    /// <summary>1 to 2,000 characters. Required.</summary>
    public Optional<string> Content { get; init; }
    /// <summary>UUID of the todo it is part of; null = none.</summary>
    public Optional<string> ParentId { get; init; }
    /// <summary>Place among its siblings, from 0; at the end by default.</summary>
    public Optional<int?> Position { get; init; }
    /// <summary><c>pending</c> (default), <c>in_progress</c>, <c>done</c> or <c>skipped</c>.</summary>
    public Optional<string> Status { get; init; }
    /// <summary>UUIDs of todos it waits for.</summary>
    public Optional<List<string?>> BlockedBy { get; init; }
}

/// <summary>One todo to add, or several in <c>todos</c>.</summary>
public sealed record AddTodosRequest : NewTodoRequest
{
    /// <summary>Several at once, added one after another; the answer is then an array.</summary>
    public Optional<List<NewTodoRequest?>> Todos { get; init; }
}

/// <summary>A change of a todo; fields that are absent stay.</summary>
public sealed record UpdateTodoRequest
{
    /// <summary>1 to 2,000 characters.</summary>
    public Optional<string> Content { get; init; }
    /// <summary><c>pending</c>, <c>in_progress</c>, <c>done</c> or <c>skipped</c>. 409 for starting one that waits.</summary>
    public Optional<string> Status { get; init; }
    /// <summary>At most 4,000 characters; <c>null</c> clears.</summary>
    public Optional<string> Note { get; init; }
    /// <summary>UUID of the todo it becomes part of; <c>null</c> = none.</summary>
    public Optional<string> ParentId { get; init; }
    /// <summary>Place among its siblings, from 0.</summary>
    public Optional<int?> Position { get; init; }
}

/// <summary>What a todo waits for.</summary>
public sealed record DependencyRequest
{
    /// <summary>UUID of a todo of the same plan. Required; <c>blockerId</c> and <c>dependsOn</c> are accepted.</summary>
    public Optional<string> DependsOnId { get; init; }
    /// <summary>The same.</summary>
    public Optional<string> BlockerId { get; init; }
    /// <summary>The same.</summary>
    public Optional<string> DependsOn { get; init; }
}

/// <summary>One thing to do of a plan.</summary>
public sealed record TodoResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Its plan.</summary>
    public required Guid PlanId { get; init; }
    /// <summary>The todo it is part of.</summary>
    public required Guid? ParentId { get; init; }
    /// <summary>0 for todos that are part of none.</summary>
    public required int Depth { get; init; }
    /// <summary>Among its siblings, from 0.</summary>
    public required int Position { get; init; }
    /// <summary>What is to be done.</summary>
    public required string Content { get; init; }
    /// <summary><c>pending</c>, <c>in_progress</c>, <c>done</c> or <c>skipped</c>; with children, what follows from theirs.</summary>
    public required string Status { get; init; }
    /// <summary>A remark.</summary>
    public required string? Note { get; init; }
    /// <summary>Todos it waits for, open and closed ones.</summary>
    public required IReadOnlyList<Guid> BlockedBy { get; init; }
    /// <summary>It is pending, has no children and waits for nothing.</summary>
    public required bool Ready { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime? StartedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime? FinishedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static TodoResponse From(Todo todo, PlanTree tree) => From(todo, tree.LevelOf(todo.ParentId), tree);

    internal static TodoResponse From(Todo todo, int depth, PlanTree tree) => new()
    {
        Id = todo.Id,
        PlanId = todo.PlanId,
        ParentId = todo.ParentId,
        Depth = depth,
        Position = todo.Position,
        Content = todo.Content,
        Status = todo.Status,
        Note = todo.Note,
        BlockedBy = [.. tree.BlockersOf(todo.Id)],
        Ready = tree.IsReady(todo),
        StartedAt = todo.StartedAt,
        FinishedAt = todo.FinishedAt,
        CreatedAt = todo.CreatedAt,
        UpdatedAt = todo.UpdatedAt,
    };
}

/// <summary>A todo that waits for another.</summary>
/// <param name="TodoId">The one that waits.</param>
/// <param name="DependsOnId">The one it waits for.</param>
/// <param name="CreatedAt">UTC.</param>
public sealed record DependencyResponse(Guid TodoId, Guid DependsOnId, DateTime CreatedAt)
{
    internal static DependencyResponse From(TodoDependency edge) => new(edge.TodoId, edge.DependsOnId, edge.CreatedAt);
}
