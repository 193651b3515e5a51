using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads;

/// <summary>Statements of the hot path, in SQL that both databases understand.</summary>
internal static class ThreadSql
{
    private const string InsertText = """
        INSERT INTO threads (id, org_id, agent_id, title, kind, status, active_profile, system_prompt_overlay, resource_bindings, user_id, metadata, last_seq, created_at, updated_at, hidden)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $14)
        ON CONFLICT (agent_id, created_at) DO NOTHING
        """;

    private const string InsertOwnerText = """
        INSERT INTO participants (org_id, thread_id, user_id, display_name, role, created_at)
        SELECT $1, $2, $3, $4, 'owner', $5 WHERE EXISTS (SELECT 1 FROM threads WHERE id = $2)
        """;

    public static SqlStatement Insert(ConversationThread t) => new(InsertText,
        [t.Id, t.OrgId, t.AgentId, t.Title, t.Kind, t.Status, t.ActiveProfile, t.SystemPromptOverlay, t.ResourceBindings, t.UserId, t.Metadata, t.CreatedAt, t.UpdatedAt, t.Hidden]);

    public static SqlStatement InsertOwner(ConversationThread t, string userId, string? name) => new(InsertOwnerText, [t.OrgId, t.Id, userId, name, t.CreatedAt]);
}
