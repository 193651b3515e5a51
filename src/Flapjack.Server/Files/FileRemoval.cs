using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Files;

internal static class FileRemoval
{
    /// <summary>Deletes what a thread that is being deleted was sent or alone uses, in the transaction that deletes it. What others use too stays theirs.</summary>
    public static async Task DeleteFilesOfThreadAsync(this FlapjackDb db, Guid threadId, CancellationToken cancellationToken)
    {
        var used = db.FileUses.Where(u => u.ThreadId == threadId).Select(u => u.FileId);
        await db.Files.Where(f => (f.ThreadId == threadId || used.Contains(f.Id)) && !db.FileUses.Any(u => u.FileId == f.Id && u.ThreadId != threadId)).ExecuteDeleteAsync(cancellationToken);
        await db.Files.Where(f => f.ThreadId == threadId).ExecuteUpdateAsync(rows => rows.SetProperty(f => f.ThreadId, (Guid?)null), cancellationToken);
        await db.FileUses.Where(u => u.ThreadId == threadId).ExecuteDeleteAsync(cancellationToken);
    }
}
