using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>Removes threads outside the request that opened them, which may have ended or hold no database.</summary>
internal sealed class ThreadRemovals(IServiceScopeFactory scopes)
{
    /// <summary>Removes a thread with everything in it; nothing happens when it is gone.</summary>
    public async Task RemoveAsync(Guid threadId, Guid orgId, CancellationToken cancellationToken = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<CallerContext>().EnterOrg(orgId);
        var db = scope.ServiceProvider.GetRequiredService<FlapjackDb>();
        if (await db.Threads.FirstOrDefaultAsync(t => t.Id == threadId, cancellationToken) is not { } thread) return;
        await scope.ServiceProvider.GetRequiredService<ThreadRemoval>().RemoveAsync(thread, cancellationToken);
    }
}
