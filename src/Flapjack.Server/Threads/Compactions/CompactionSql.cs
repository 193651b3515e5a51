using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Compactions;

/// <summary>Statements that store and copy compactions.</summary>
internal static class CompactionSql
{
    private const string InsertText = """
        INSERT INTO compactions (thread_id, agent_id, seq, org_id, through_seq, summary, before_tokens, after_tokens, turn_id, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE EXISTS (SELECT 1 FROM threads WHERE id = $1)
        """;

    private const string CopyText = """
        INSERT INTO compactions (thread_id, agent_id, seq, org_id, through_seq, summary, before_tokens, after_tokens, turn_id, created_at)
        SELECT $2, agent_id, seq, org_id, through_seq, summary, before_tokens, after_tokens, turn_id, created_at
        FROM compactions WHERE thread_id = $1 AND seq <= $3 AND EXISTS (SELECT 1 FROM threads WHERE id = $2)
        """;

    private const string CountCopiedText = "UPDATE threads SET compacted_seq = COALESCE((SELECT MAX(seq) FROM compactions WHERE thread_id = $1), 0) WHERE id = $1";

    /// <summary>Stores a compaction and lets the thread say that it has one.</summary>
    public static SqlStatement[] Store(Compaction c) =>
    [
        // PostgreSQL takes no U+0000, and models may write anything.
        new(InsertText, [c.ThreadId, c.AgentId, c.Seq, c.OrgId, c.ThroughSeq, c.Summary?.Replace('\0', '\uFFFD'), c.BeforeTokens, c.AfterTokens, c.TurnId, c.CreatedAt]),
        new("UPDATE threads SET compacted_seq = $2 WHERE id = $1", [c.ThreadId, c.Seq]),
    ];

    /// <summary>Gives a fork the compactions of its part of the thread.</summary>
    public static SqlStatement[] Copy(Guid parent, Guid copy, long lastSeq) => [new(CopyText, [parent, copy, lastSeq]), new(CountCopiedText, [copy])];
}
