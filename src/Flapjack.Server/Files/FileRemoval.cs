using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Files;

/// <summary>Deletes the files of a thread that is being deleted: what it was sent or alone uses. What others use too stays theirs.</summary>
/// <remarks>In the thread's own transaction files only become invisible, because a gigabyte of content takes a database longer than a transaction should last. Their content goes right after it, and with housekeeping if this process does not live to do it.</remarks>
internal sealed class FileRemoval(FlapjackDb db, FileStore files, TimeProvider time)
{
    /// <summary>Takes a thread's files away from everybody, in the transaction that deletes the thread. Returns those to <see cref="DeleteAsync"/> after it.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="leaveUploads">True when what was uploaded before stays, for a while, as it does before it is used.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<StoredFile>> TakeFromThreadAsync(Guid threadId, bool leaveUploads, CancellationToken cancellationToken)
    {
        var used = db.FileUses.Where(u => u.ThreadId == threadId).Select(u => u.FileId);
        var alone = db.Files.Where(f => (f.ThreadId == threadId || used.Contains(f.Id)) && !db.FileUses.Any(u => u.FileId == f.Id && u.ThreadId != threadId));
        var taken = leaveUploads ? alone.Where(f => f.ThreadId == threadId) : alone;
        var expiry = time.Now() + FileStore.UnusedLifetime;
        if (leaveUploads) await alone.Where(f => f.ThreadId != threadId).ExecuteUpdateAsync(rows => rows.SetProperty(f => f.ExpiresAt, expiry), cancellationToken);
        var gone = await taken.AsNoTracking().ToListAsync(cancellationToken);
        if (gone.Count > 0) await taken.ExecuteUpdateAsync(rows => rows.SetProperty(f => f.Ready, false).SetProperty(f => f.ExpiresAt, f => f.CreatedAt), cancellationToken);
        await db.Files.Where(f => f.ThreadId == threadId && f.Ready).ExecuteUpdateAsync(rows => rows.SetProperty(f => f.ThreadId, (Guid?)null), cancellationToken);
        await db.FileUses.Where(u => u.ThreadId == threadId).ExecuteDeleteAsync(cancellationToken);
        return gone;
    }

    /// <summary>Deletes the content of what was taken, a file at a time.</summary>
    public async Task DeleteAsync(IReadOnlyList<StoredFile> taken)
    {
        foreach (var file in taken) await files.DeleteUnusedAsync(file.Id, file.OrgId);
    }
}
