using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>Removes threads outside the request that opened them, which may have ended or hold no database.</summary>
internal sealed partial class DetachedRemoval(IServiceScopeFactory scopes, ILogger<DetachedRemoval> logger)
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

    /// <summary>The same where nobody could do anything about a failure: a hidden thread that stays behind is removed when it expires.</summary>
    public async Task TryRemoveAsync(Guid threadId, Guid orgId)
    {
        try
        {
            await RemoveAsync(threadId, orgId);
        }
        catch (Exception fault)
        {
            LogLeft(logger, fault, threadId);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Thread {Thread} could not be removed yet")]
    private static partial void LogLeft(ILogger logger, Exception exception, Guid thread);
}
