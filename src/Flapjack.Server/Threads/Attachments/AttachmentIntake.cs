using Flapjack.Server.Files;
using Flapjack.Server.Files.Text;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Attachments;

/// <summary>Brings the attachments of a message into the store before its turn begins, so that every fault is still an ordinary error answer.</summary>
internal sealed class AttachmentIntake(Databases databases, FileStore files, FileDownload downloads, FileTexts texts)
{
    /// <summary>Stores or finds every attachment and checks that the turn's models can be given it.</summary>
    public async Task<TakenAttachments> TakeAsync(IReadOnlyList<AttachmentDraft> drafts, TurnPlan plan, CallerContext access, CancellationToken cancellationToken)
    {
        var taken = new TakenAttachments(files);
        if (drafts.Count == 0) return taken;
        try
        {
            var support = AttachmentSupport.Of(plan);
            var room = AttachmentPrompt.MaxBytes;
            foreach (var draft in drafts)
            {
                var file = await FileOfAsync(draft, plan.Thread, access, taken, cancellationToken);
                if ((room -= file.SizeBytes) < 0) throw new ApiException(413, "PAYLOAD_TOO_LARGE", $"{draft.Field}: all attachments together may have at most {AttachmentPrompt.MaxBytes} bytes");
                await CheckAsync(draft, file, support, cancellationToken);
                taken.Add(new(file.Id, draft.Type, draft.Name is null ? file.Name : FileName.Clean(draft.Name, file.Name), file.MediaType, file.SizeBytes));
            }
            return taken;
        }
        catch
        {
            await taken.DisposeAsync();
            throw;
        }
    }

    private async Task<StoredFile> FileOfAsync(AttachmentDraft draft, ConversationThread thread, CallerContext access, TakenAttachments taken, CancellationToken cancellationToken)
    {
        if (draft.FileId is { } id)
        {
            await using var db = databases.Open(access);
            return await db.FindFileAsync(access, id, cancellationToken);
        }
        var incoming = new IncomingFile(thread.OrgId, thread.Id, access.IsKnown ? access.Caller.UserId : null, FileName.Clean(draft.Name, draft.Type), draft.MediaType);
        var file = draft.Url is { } url
            ? await downloads.FetchAsync(incoming, url, named: draft.Name is not null, draft.SourceField, cancellationToken)
            : await files.StoreAsync(incoming, new MemoryStream(draft.Data!, writable: false), draft.SourceField, cancellationToken);
        taken.New(file);
        return file;
    }

    private async Task CheckAsync(AttachmentDraft draft, StoredFile file, AttachmentSupport support, CancellationToken cancellationToken)
    {
        var isImage = FileTypes.IsImage(file.MediaType);
        if (isImage != (draft.Type == AttachmentDraft.Image)) throw ApiException.Invalid($"{draft.Field}.type", $"the content is {file.MediaType}, {(isImage ? "an image" : "no image")}");
        if (support.Unable(file.MediaType) is not { } model) return;
        if (isImage) throw ApiException.Invalid(draft.Field, $"the model '{model.Id}' cannot see images");
        if ((await texts.ReadAsync(file, cancellationToken)).Problem is { } problem) throw ApiException.Invalid(draft.Field, $"the file has no text that can be read ({problem})");
    }
}

/// <summary>Stored attachments of a message that is still to be stored. Unless it is, those that came with it are deleted again.</summary>
internal sealed class TakenAttachments(FileStore files) : IAsyncDisposable
{
    private readonly List<MessageAttachment> _attached = [];
    private readonly List<StoredFile> _new = [];

    public IReadOnlyList<MessageAttachment> Attached => _attached;

    public void Add(MessageAttachment attachment) => _attached.Add(attachment);

    /// <summary>This file did not exist before the message came.</summary>
    public void New(StoredFile file) => _new.Add(file);

    /// <summary>The message is stored.</summary>
    public void Keep() => _new.Clear();

    public async ValueTask DisposeAsync()
    {
        foreach (var file in _new) await files.DeleteUnusedAsync(file.Id, file.OrgId);
    }
}
