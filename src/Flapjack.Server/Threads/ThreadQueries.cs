using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

internal static class ThreadQueries
{
    /// <summary>Threads the caller may reach by id: keys and admins all of the organisation, others their own and those they take part in.</summary>
    public static IQueryable<ConversationThread> VisibleThreads(this FlapjackDb db, CallerContext access) =>
        access.SeesWholeOrg ? db.Threads : db.OwnThreads(access);

    /// <summary>Threads a user started or takes part in.</summary>
    public static IQueryable<ConversationThread> OwnThreads(this FlapjackDb db, CallerContext access)
    {
        var user = access.UserId;
        return db.Threads.Where(t => t.UserId == user || db.Participants.Any(p => p.ThreadId == t.Id && p.UserId == user));
    }

    public static async Task<ConversationThread> FindThreadAsync(this FlapjackDb db, CallerContext access, Guid id, CancellationToken cancellationToken) =>
        await db.VisibleThreads(access).FirstOrDefaultAsync(t => t.Id == id, cancellationToken) ?? throw ApiException.NotFound("Thread");
}
