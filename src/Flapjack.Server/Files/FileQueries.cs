using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Files;

internal static class FileQueries
{
    /// <summary>Files the caller may reach by id: keys and admins all of the organisation, others their own and those of threads they started or take part in.</summary>
    public static IQueryable<StoredFile> VisibleFiles(this FlapjackDb db, CallerContext access)
    {
        var ready = db.Files.AsNoTracking().Where(f => f.Ready);
        if (access.SeesWholeOrg) return ready;
        var user = access.Caller.UserId;
        var threads = db.ThreadIdsOf(access.UserId ?? "");
        return ready.Where(f => user != null && f.UserId == user || threads.Any(t => t == f.ThreadId) || db.FileUses.Any(u => u.FileId == f.Id && threads.Contains(u.ThreadId)));
    }

    public static async Task<StoredFile> FindFileAsync(this FlapjackDb db, CallerContext access, Guid id, CancellationToken cancellationToken) =>
        await db.VisibleFiles(access).FirstOrDefaultAsync(f => f.Id == id, cancellationToken) ?? throw ApiException.NotFound("File");
}
