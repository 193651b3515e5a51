using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Plans;

/// <summary>Reads and changes plans, for clients and for turns alike. Changes of one plan come one after another, on every node: each begins by raising the version in the plan's row, which keeps the row until it is committed.</summary>
internal sealed class PlanStore(Databases databases, TimeProvider time)
{
    /// <summary>Stores a new plan; null when its thread is gone.</summary>
    public async Task<PlanBoard?> CreateAsync(PlanDraft draft, CancellationToken cancellationToken)
    {
        var now = time.Now();
        var plan = new Plan
        {
            Id = Ids.New(),
            OrgId = draft.OrgId,
            ThreadId = draft.ThreadId,
            AgentId = draft.AgentId,
            Title = draft.Title,
            Description = draft.Description,
            Status = draft.Approved ? PlanStatuses.Approved : PlanStatuses.Draft,
            CreatedAt = now,
            UpdatedAt = now,
        };
        if (draft.Approved) plan.Approve(draft.ApprovedBy, now);
        var board = new PlanBoard(plan, [], []);
        board.Fill(draft.Todos, now);

        await using var db = databases.Open(draft.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // A thread that is being deleted must not get a plan that stays behind.
        if (await db.Threads.Where(t => t.Id == draft.ThreadId).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.Kind, t => t.Kind), cancellationToken) == 0) return null;
        db.Plans.Add(plan);
        db.Todos.AddRange(board.Todos);
        db.TodoDependencies.AddRange(board.Dependencies);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return board;
    }

    /// <summary>Changes a plan or nothing of it: whatever <paramref name="change"/> throws undoes what it did. 404 when the plan is gone.</summary>
    public async Task<T> ChangeAsync<T>(Guid orgId, Guid planId, Func<PlanBoard, DateTime, T> change, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Plans.Where(p => p.Id == planId).ExecuteUpdateAsync(rows => rows.SetProperty(p => p.Version, p => p.Version + 1), cancellationToken) == 0) throw ApiException.NotFound("Plan");
        var plan = await db.Plans.FirstAsync(p => p.Id == planId, cancellationToken);
        var todos = await db.Todos.Where(t => t.PlanId == planId).ToListAsync(cancellationToken);
        var dependencies = await db.TodoDependencies.Where(d => d.PlanId == planId).ToListAsync(cancellationToken);
        var board = new PlanBoard(plan, todos, dependencies);
        var now = plan.UpdatedAt = time.Now();
        var result = change(board, now);
        db.Todos.AddRange(board.Todos.Except(todos));
        db.Todos.RemoveRange(todos.Except(board.Todos));
        db.TodoDependencies.AddRange(board.Dependencies.Except(dependencies));
        db.TodoDependencies.RemoveRange(dependencies.Except(board.Dependencies));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    public async Task RemoveAsync(Guid orgId, Guid planId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Plans.Where(p => p.Id == planId).ExecuteDeleteAsync(cancellationToken);
        await db.Todos.Where(t => t.PlanId == planId).ExecuteDeleteAsync(cancellationToken);
        await db.TodoDependencies.Where(d => d.PlanId == planId).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The newest plan of a thread that is not closed; null without one.</summary>
    public async Task<PlanBoard?> NewestOpenAsync(Guid orgId, Guid threadId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var plan = await db.Plans.AsNoTracking().Where(p => p.ThreadId == threadId && PlanStatuses.Open.Contains(p.Status)).OrderByDescending(p => p.CreatedAt).ThenByDescending(p => p.Id).FirstOrDefaultAsync(cancellationToken);
        return plan is null ? null : (await db.WithTodosAsync([plan], cancellationToken))[0];
    }

    /// <summary>The plan of a thread that holds a todo; null when none does.</summary>
    public async Task<Guid?> PlanOfTodoAsync(Guid orgId, Guid threadId, Guid todoId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        return await db.Todos.Where(t => t.Id == todoId && db.Plans.Any(p => p.Id == t.PlanId && p.ThreadId == threadId)).Select(t => (Guid?)t.PlanId).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Whether a plan is one of the thread.</summary>
    public async Task<bool> IsOfThreadAsync(Guid orgId, Guid threadId, Guid planId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        return await db.Plans.AnyAsync(p => p.Id == planId && p.ThreadId == threadId, cancellationToken);
    }
}

/// <summary>A checked plan to make.</summary>
internal sealed record PlanDraft(Guid OrgId, Guid ThreadId, Guid AgentId, string Title, string? Description, IReadOnlyList<SketchedTodo> Todos)
{
    public bool Approved { get; init; }

    /// <summary>Null when no approval was asked for.</summary>
    public string? ApprovedBy { get; init; }
}
