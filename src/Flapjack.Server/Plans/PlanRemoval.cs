using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Plans;

/// <summary>Plans go with their thread.</summary>
internal sealed class PlanRemoval(FlapjackDb db) : IThreadDependant
{
    public async Task OnDeletedAsync(Guid threadId, CancellationToken cancellationToken)
    {
        var plans = db.Plans.Where(p => p.ThreadId == threadId).Select(p => p.Id);
        await db.Todos.Where(t => plans.Contains(t.PlanId)).ExecuteDeleteAsync(cancellationToken);
        await db.TodoDependencies.Where(d => plans.Contains(d.PlanId)).ExecuteDeleteAsync(cancellationToken);
        await db.Plans.Where(p => p.ThreadId == threadId).ExecuteDeleteAsync(cancellationToken);
    }
}
