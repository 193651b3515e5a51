using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Plans;

/// <summary>Plans go with their thread.</summary>
internal sealed class PlanRemoval(FlapjackDb db) : IThreadDependant
{
    public async Task OnDeletedAsync(Guid threadId, CancellationToken cancellationToken)
    {
        var plans = await db.Plans.Where(p => p.ThreadId == threadId).Select(p => p.Id).ToListAsync(cancellationToken);
        // First: whoever changes a plan holds its row, and what they add is to go too.
        await db.Plans.Where(p => plans.Contains(p.Id)).ExecuteDeleteAsync(cancellationToken);
        await db.Todos.Where(t => plans.Contains(t.PlanId)).ExecuteDeleteAsync(cancellationToken);
        await db.TodoDependencies.Where(d => plans.Contains(d.PlanId)).ExecuteDeleteAsync(cancellationToken);
    }
}
