using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Files;

/// <summary>Takes a file from a form as it arrives: it is never in memory as a whole.</summary>
internal sealed class FileUpload(FlapjackDb db, CallerContext access, FileStore files)
{
    private const int FieldLimit = 1_000;

    public async Task<StoredFile> ReceiveAsync(FormBody<FileUploadRequest> form, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        StoredFile? file = null;
        Guid? threadId = null;
        try
        {
            await form.ReadAsync(TakeAsync, cancellationToken);
            if (file is null) errors.Add("file", "is required");
            errors.ThrowIfAny();
            return await WithThreadAsync(file!, threadId, cancellationToken);
        }
        catch when (file is not null)
        {
            await files.DeleteUnusedAsync(file.Id, file.OrgId);
            throw;
        }

        async Task TakeAsync(FormPart part)
        {
            switch (part.Name)
            {
                case "file" when file is null:
                    // The thread may be named after the file, so it is noted at the end.
                    file = await files.StoreAsync(new(access.OrgId, null, access.Caller.UserId, FileName.Clean(part.FileName, "file"), part.ContentType), part.Content, "file", cancellationToken);
                    break;
                case "file":
                    errors.Add("file", "is sent twice");
                    break;
                case "threadId" or "thread_id":
                    threadId = errors.Id("threadId", await part.TextAsync(FieldLimit, cancellationToken));
                    break;
                case "purpose":
                    errors.OneOf("purpose", await part.TextAsync(FieldLimit, cancellationToken), "message");
                    break;
            }
        }
    }

    private async Task<StoredFile> WithThreadAsync(StoredFile file, Guid? threadId, CancellationToken cancellationToken)
    {
        if (threadId is not { } thread) return file;
        var visible = access.SeesWholeOrg ? db.ThreadIds : db.ThreadIdsOf(access.Caller.UserId?.ToString() ?? "");
        if (!await visible.ContainsAsync(thread, cancellationToken)) throw ApiException.NotFound("Thread");
        await db.Files.Where(f => f.Id == file.Id).ExecuteUpdateAsync(rows => rows.SetProperty(f => f.ThreadId, thread), cancellationToken);
        return await db.Files.AsNoTracking().FirstAsync(f => f.Id == file.Id, cancellationToken);
    }
}
