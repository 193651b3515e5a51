using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans;

/// <summary>A plan to make.</summary>
public sealed record CreatePlanRequest
{
    /// <summary>UUID of the thread it belongs to. Required.</summary>
    public Optional<string> ThreadId { get; init; }
    /// <summary>1 to 300 characters. Required.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>At most 10,000 characters.</summary>
    public Optional<string> Description { get; init; }
    /// <summary><c>draft</c> or <c>approved</c>; by default what the agent's plan config says.</summary>
    public Optional<string> Status { get; init; }
    /// <summary>What is to be done, nested up to four levels.</summary>
    public Optional<List<SketchedTodoRequest?>> Todos { get; init; }
    /// <summary>UUID of the organisation, for users of several.</summary>
    public Optional<string> OrgId { get; init; }
}

/// <summary>A todo of a plan to make.</summary>
public sealed record SketchedTodoRequest
{
    /// <summary>1 to 2,000 characters. Required.</summary>
    public Optional<string> Content { get; init; }
    /// <summary>Array of todos it consists of, with the same fields.</summary>
    public Optional<JsonElement?> Children { get; init; }
    /// <summary>Todos it waits for, as places in the whole list counted depth first from 0.</summary>
    public Optional<List<int>> BlockedBy { get; init; }
}

/// <summary>A change of a plan; fields that are absent stay.</summary>
public sealed record UpdatePlanRequest
{
    /// <summary>1 to 300 characters.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>At most 10,000 characters; <c>null</c> clears.</summary>
    public Optional<string> Description { get; init; }
    /// <summary><c>draft</c>, <c>approved</c>, <c>in_progress</c>, <c>completed</c> or <c>cancelled</c>; 409 when the plan cannot go there.</summary>
    public Optional<string> Status { get; init; }
}

/// <summary>A plan with all its todos.</summary>
public sealed record PlanResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>The thread it belongs to.</summary>
    public required Guid ThreadId { get; init; }
    /// <summary>Whose plan it is.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>What it is about.</summary>
    public required string Title { get; init; }
    /// <summary>More about it.</summary>
    public required string? Description { get; init; }
    /// <summary><c>draft</c>, <c>approved</c>, <c>in_progress</c>, <c>completed</c> or <c>cancelled</c>.</summary>
    public required string Status { get; init; }
    /// <summary>When it was approved, UTC.</summary>
    public required DateTime? ApprovedAt { get; init; }
    /// <summary>Id of the user who approved it, or <c>key</c>; null when no approval was asked for.</summary>
    public required string? ApprovedBy { get; init; }
    /// <summary>Counts of the todos without children.</summary>
    public required PlanProgress Progress { get; init; }
    /// <summary>All todos, depth first.</summary>
    public required IReadOnlyList<TodoResponse> Todos { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>UTC; moves with every change, of todos too.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static PlanResponse From(PlanBoard board) => new()
    {
        Id = board.Plan.Id,
        OrgId = board.Plan.OrgId,
        ThreadId = board.Plan.ThreadId,
        AgentId = board.Plan.AgentId,
        Title = board.Plan.Title,
        Description = board.Plan.Description,
        Status = board.Plan.Status,
        ApprovedAt = board.Plan.ApprovedAt,
        ApprovedBy = board.Plan.ApprovedBy,
        Progress = PlanProgress.Of(board.Tree),
        Todos = [.. board.Tree.Ordered.Select(item => TodoResponse.From(item.Todo, item.Depth, board.Tree))],
        CreatedAt = board.Plan.CreatedAt,
        UpdatedAt = board.Plan.UpdatedAt,
    };
}

/// <summary>How far a plan is; todos with children do not count.</summary>
/// <param name="Total">All of them.</param>
/// <param name="Done">Done.</param>
/// <param name="Skipped">Skipped.</param>
/// <param name="InProgress">Being worked on.</param>
/// <param name="Pending">Not begun.</param>
public sealed record PlanProgress(int Total, int Done, int Skipped, int InProgress, int Pending)
{
    internal static PlanProgress Of(PlanTree tree)
    {
        var counts = tree.Leaves.CountBy(t => t.Status).ToDictionary();
        int Count(string status) => counts.GetValueOrDefault(status);
        return new(counts.Values.Sum(), Count(TodoStatuses.Done), Count(TodoStatuses.Skipped), Count(TodoStatuses.InProgress), Count(TodoStatuses.Pending));
    }
}
