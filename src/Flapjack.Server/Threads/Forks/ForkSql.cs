using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Forks;

/// <summary>The statements that copy a thread. Each does nothing unless the one before it did something.</summary>
internal static class ForkSql
{
    private const string HoldText = "UPDATE threads SET updated_at = updated_at WHERE id = $1 AND org_id = $2";

    private const string InsertThreadText = """
        INSERT INTO threads (id, org_id, agent_id, title, kind, status, active_profile, system_prompt_overlay, resource_bindings, user_id, metadata, last_seq, created_at, updated_at, hidden,
            parent_thread_id, forked_from_message_id)
        SELECT $1, org_id, agent_id, $4, kind, $5, active_profile, system_prompt_overlay, resource_bindings, $6, $7, $8, $9, $9, $10, id, $11
        FROM threads WHERE id = $2 AND org_id = $3 AND EXISTS (SELECT 1 FROM agents a WHERE a.id = threads.agent_id AND a.deleted_at IS NULL)
        ON CONFLICT (agent_id, created_at) DO NOTHING
        """;

    // Calls that still wait for their client are closed in the copy: nobody will bring their results to it.
    private const string CopyMessagesText = """
        INSERT INTO messages (id, org_id, thread_id, seq, turn_id, role, content, tail_start, tool_calls, reasoning, tool_call_id, tool_name, complete, is_error, attachments, sender_name, sender_id, stopped, error, model,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, created_at)
        SELECT {0}, org_id, $2, seq, turn_id, role, CASE WHEN complete THEN content ELSE $5 END, tail_start, tool_calls, reasoning, tool_call_id, tool_name, $6, CASE WHEN complete THEN is_error ELSE $6 END,
            attachments, sender_name, sender_id, stopped, error, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, created_at
        FROM messages WHERE thread_id = $1 AND seq <= $3 AND EXISTS (SELECT 1 FROM threads WHERE id = $2)
        """;

    private const string CancelledResult = """{"error":"CANCELLED"}""";

    /// <summary>Keeps the parent from being deleted until the copy is made; no row when it is gone.</summary>
    public static SqlStatement Hold(Guid parent, Guid org) => new(HoldText, [parent, org]);

    /// <summary>Makes the new thread; no row when the agent is gone or the time of creation is taken.</summary>
    public static SqlStatement InsertThread(ConversationThread copy) => new(InsertThreadText,
        [copy.Id, copy.ParentThreadId, copy.OrgId, copy.Title, copy.Status, copy.UserId, copy.Metadata, copy.LastSeq, copy.CreatedAt, copy.Hidden, copy.ForkedFromMessageId]);

    /// <summary>Copies messages with ids of their own: a new one's beginning, then the number of the row, so that they sort like the messages.</summary>
    public static SqlStatement CopyMessages(Guid parent, Guid copy, long lastSeq, ISqlDialect dialect) => new(
        CopyMessagesText.Replace("{0}", dialect.Id("$4 || SUBSTR(CAST(1000000000000 + seq AS TEXT), 2)"), StringComparison.Ordinal),
        [parent, copy, lastSeq, Ids.New().ToString()[..24], CancelledResult, true]) { Heavy = true };
}
