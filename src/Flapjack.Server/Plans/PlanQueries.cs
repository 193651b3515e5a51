using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Plans;

internal static class PlanQueries
{
    /// <summary>Plans of the threads that the caller may reach.</summary>
    public static IQueryable<Plan> VisiblePlans(this FlapjackDb db, CallerContext access)
    {
        var plans = db.Plans.AsNoTracking();
        if (access.SeesWholeOrg) return plans;
        var threads = db.VisibleThreads(access).Select(t => t.Id);
        return plans.Where(p => threads.Contains(p.ThreadId));
    }

    public static async Task<Plan> FindPlanAsync(this FlapjackDb db, CallerContext access, Guid id, CancellationToken cancellationToken) =>
        await db.VisiblePlans(access).FirstOrDefaultAsync(p => p.Id == id, cancellationToken) ?? throw ApiException.NotFound("Plan");

    public static async Task<PlanBoard> FindBoardAsync(this FlapjackDb db, CallerContext access, Guid id, CancellationToken cancellationToken) =>
        (await db.WithTodosAsync([await db.FindPlanAsync(access, id, cancellationToken)], cancellationToken))[0];

    /// <summary>Plans with their todos, in the same order.</summary>
    public static async Task<List<PlanBoard>> WithTodosAsync(this FlapjackDb db, IReadOnlyList<Plan> plans, CancellationToken cancellationToken)
    {
        if (plans.Count == 0) return [];
        var ids = plans.Select(p => p.Id).ToList();
        var todos = (await db.Todos.AsNoTracking().Where(t => ids.Contains(t.PlanId)).ToListAsync(cancellationToken)).ToLookup(t => t.PlanId);
        var dependencies = (await db.TodoDependencies.AsNoTracking().Where(d => ids.Contains(d.PlanId)).ToListAsync(cancellationToken)).ToLookup(d => d.PlanId);
        return [.. plans.Select(plan => new PlanBoard(plan, todos[plan.Id], dependencies[plan.Id]))];
    }
}
