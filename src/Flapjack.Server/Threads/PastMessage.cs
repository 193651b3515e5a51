using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads;

/// <summary>A message a client brings along because the conversation was held elsewhere: one of a user, an answer, a step that called tools, or the result of a call.</summary>
/// <param name="Role">One of <see cref="MessageRoles"/>.</param>
/// <param name="Text">What was said; of a tool its result.</param>
internal sealed record PastMessage(string Role, string Text)
{
    /// <summary>Id of the row it becomes.</summary>
    public Guid Id { get; } = Ids.New();

    public string? SenderName { get; init; }

    /// <summary>Images and files of a user's message; see <see cref="Conversations.PastAttachments"/>.</summary>
    public IReadOnlyList<AttachmentDraft> Attachments { get; init; } = [];

    /// <summary>Calls of a step.</summary>
    public IReadOnlyList<TurnCall> Calls { get; init; } = [];

    /// <summary>The call a result belongs to.</summary>
    public TurnCall? Answers { get; init; }

    /// <summary>The row it becomes.</summary>
    /// <param name="thread">Its thread.</param>
    /// <param name="seq">Its place there.</param>
    /// <param name="turn">The turn it belongs to; null when that was never one of this server.</param>
    /// <param name="at">Time of the row.</param>
    public Message ToRow(ConversationThread thread, long seq, Guid? turn, DateTime at) => new()
    {
        Id = Id,
        OrgId = thread.OrgId,
        ThreadId = thread.Id,
        TurnId = turn,
        Seq = seq,
        Role = Role,
        Content = Text,
        ToolCalls = Calls.Count == 0 ? null : StepCalls.ToText(Calls.Select(call => new MessageToolCall(call.Id, call.Name, call.Arguments))),
        ToolCallId = Answers?.Id,
        ToolName = Answers?.Name,
        SenderName = SenderName,
        CreatedAt = at,
    };
}

/// <summary>Stores messages together with the new thread they belong to.</summary>
internal static class PastMessageSql
{
    private const string InsertText = """
        INSERT INTO messages (id, org_id, thread_id, seq, role, content, tail_start, tool_calls, tool_call_id, tool_name, complete, is_error, sender_name, stopped, created_at)
        SELECT $1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, $11, $13 WHERE EXISTS (SELECT 1 FROM threads WHERE id = $3)
        """;

    public static IEnumerable<SqlStatement> Insert(ConversationThread thread, IReadOnlyList<PastMessage> past) =>
        past.Select((message, index) => Insert(message.ToRow(thread, index + 1, null, thread.CreatedAt)));

    // PostgreSQL takes no U+0000.
    private static SqlStatement Insert(Message m) => new(InsertText,
        [m.Id, m.OrgId, m.ThreadId, m.Seq, m.Role, m.Content.Replace('\0', '\uFFFD'), m.ToolCalls, m.ToolCallId, m.ToolName, true, false, m.SenderName, m.CreatedAt]);
}
