using System.Text;
using Flapjack.Runtime.Prompts;
using Flapjack.Server.Files;
using Flapjack.Server.Files.Text;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Attachments;

/// <summary>Puts the contents of attachments into a prompt. Histories hold references only; contents are read for the turn that needs them and go with it.</summary>
internal sealed class AttachmentPrompt(Databases databases, FileStore files, FileTexts texts)
{
    /// <summary>What all attachments of a prompt, and so of a message, may have together. Vendors take requests of about 32 MB, and base64 adds a third.</summary>
    public const long MaxBytes = 22 * 1024 * 1024;

    /// <summary>A user message whose attachments are still references.</summary>
    public static ChatMessage Message(IReadOnlyList<MessageAttachment> attachments, string text)
    {
        var contents = new List<AIContent>(attachments.Select(attachment => new AttachmentReference(attachment)));
        if (!string.IsNullOrWhiteSpace(text)) contents.Add(new TextContent(text));
        return new(ChatRole.User, contents);
    }

    /// <summary>Replaces every reference with what the turn's models can be given, the newest first: what no longer fits is only named.</summary>
    public async ValueTask FillAsync(List<ChatMessage> prompt, TurnPlan plan, CancellationToken cancellationToken)
    {
        if (!prompt.Exists(IsOpen)) return;
        var stored = await StoredAsync(prompt, plan, cancellationToken);
        var support = AttachmentSupport.Of(plan);
        var room = MaxBytes;
        for (var i = prompt.Count - 1; i >= 0; i--)
        {
            if (!IsOpen(prompt[i])) continue;
            var contents = new List<AIContent>(prompt[i].Contents.Count);
            foreach (var content in prompt[i].Contents)
            {
                if (content is not AttachmentReference { Attachment: var attachment })
                {
                    contents.Add(content);
                    continue;
                }
                var size = support.Unable(attachment.MediaType) is null ? attachment.SizeBytes : Math.Min(attachment.SizeBytes, FileTexts.MaxCharacters);
                var fits = size <= room;
                if (fits) room -= size;
                contents.Add(fits
                    ? await ContentAsync(attachment, stored.GetValueOrDefault(attachment.FileId), support, cancellationToken)
                    : Note(attachment, "is left out: the attachments of this conversation are too large together"));
            }
            // The history is shared with other turns, so the message is replaced and not changed.
            prompt[i] = new(prompt[i].Role, contents);
        }
    }

    // A history message is text and nothing else, and most messages are one.
    private static bool IsOpen(ChatMessage message) => message is not HistoryMessage && message.Contents.Any(content => content is AttachmentReference);

    private async Task<Dictionary<Guid, StoredFile>> StoredAsync(List<ChatMessage> prompt, TurnPlan plan, CancellationToken cancellationToken)
    {
        var ids = prompt.SelectMany(message => message.Contents).OfType<AttachmentReference>().Select(reference => reference.Attachment.FileId).Distinct().ToList();
        await using var db = databases.Open(plan.Thread.OrgId);
        return await db.Files.AsNoTracking().Where(f => ids.Contains(f.Id)).ToDictionaryAsync(f => f.Id, cancellationToken);
    }

    private async ValueTask<AIContent> ContentAsync(MessageAttachment attachment, StoredFile? file, AttachmentSupport support, CancellationToken cancellationToken)
    {
        if (file is null) return Note(attachment, "is no longer there");
        var isText = FileTypes.IsText(file.MediaType);
        if (support.Unable(file.MediaType) is null)
        {
            var bytes = await files.ReadAsync(file, cancellationToken);
            // Providers take text for UTF-8.
            return new DataContent(isText ? Encoding.UTF8.GetBytes(PlainText.Decode(bytes)) : bytes, file.MediaType) { Name = attachment.Name };
        }
        if (FileTypes.IsImage(file.MediaType)) return Note(attachment, "is an image, which this model cannot see");
        var text = await texts.ReadAsync(file, cancellationToken);
        return text.Problem is null
            ? PromptSection.Create(PromptSection.Attachments, ReferenceBlock.Format([(attachment.Name, text.Value)]))
            : Note(attachment, "cannot be read by this model");
    }

    private static TextContent Note(MessageAttachment attachment, string what) =>
        PromptSection.Create(PromptSection.Attachments, $"[The attachment \"{attachment.Name}\" ({attachment.MediaType}) {what}.]\n");

    /// <summary>Stands for an attachment until a prompt is sent.</summary>
    private sealed class AttachmentReference(MessageAttachment attachment) : AIContent
    {
        public MessageAttachment Attachment { get; } = attachment;
    }
}
