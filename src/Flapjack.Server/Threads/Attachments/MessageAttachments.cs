using System.Text.Json;
using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Attachments;

/// <summary>Attachments as a message's row keeps them, so that neither lists nor histories have to look for files.</summary>
internal static class MessageAttachments
{
    /// <summary>Null without any.</summary>
    public static string? ToText(IReadOnlyList<MessageAttachment> attachments) => attachments.Count == 0 ? null : JsonSerializer.Serialize(attachments, WireJson.Responses);

    public static IReadOnlyList<MessageAttachment> Parse(string? text) => text is null ? [] : JsonSerializer.Deserialize<List<MessageAttachment>>(text, WireJson.Responses)!;

    /// <summary>What a unit that stores a user message says after it: its attachments, and that it uses their files.</summary>
    public static IEnumerable<SqlStatement> Store(Message message) =>
        message.Attachments is null ? [] : Store(message.Id, Parse(message.Attachments));

    /// <summary>The same for a message that is stored already, or is in the same unit.</summary>
    public static IEnumerable<SqlStatement> Store(Guid message, IReadOnlyList<MessageAttachment> attachments) =>
        [AttachmentSql.Note(message, ToText(attachments)), .. attachments.SelectMany(attachment => FileSql.Use(attachment.FileId, message))];
}

internal static class AttachmentSql
{
    /// <summary>Few messages have attachments, so the statement that stores a message does not know them.</summary>
    public static SqlStatement Note(Guid message, string? attachments) => new("UPDATE messages SET attachments = $2 WHERE id = $1", [message, attachments]);
}
