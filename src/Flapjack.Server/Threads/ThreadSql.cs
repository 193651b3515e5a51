using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads;

/// <summary>Statements of the hot path, in SQL that both databases understand.</summary>
internal static class ThreadSql
{
    private const string InsertText = """
        INSERT INTO threads (id, org_id, agent_id, title, kind, status, active_profile, system_prompt_overlay, resource_bindings, user_id, metadata, last_seq, created_at, updated_at, hidden, expires_at, parent_thread_id)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 FROM agents WHERE id = $3 AND org_id = $2 AND deleted_at IS NULL
        ON CONFLICT (agent_id, created_at) DO NOTHING
        """;

    private const string InsertOwnerText = """
        INSERT INTO participants (org_id, thread_id, user_id, display_name, role, created_at)
        SELECT $1, $2, $3, $4, 'owner', $5 WHERE EXISTS (SELECT 1 FROM threads WHERE id = $2)
        """;

    private const string FindText = """
        SELECT t.id, t.org_id, t.agent_id, t.title, t.kind, t.status, t.active_profile, t.system_prompt_overlay, t.resource_bindings, t.user_id, t.active_turn_id, t.pending_turn_id,
            t.pending_expires_at, t.metadata, t.last_seq, t.compacted_seq, t.created_at, t.updated_at,
            a.name, a.stable_preamble, a.default_model, a.temperature, a.tool_profiles, a.default_profile, a.max_tool_calls, a.max_output_tokens, a.created_at, a.updated_at, a.deleted_at, a.equipment
        FROM threads t JOIN agents a ON a.id = t.agent_id WHERE t.id = $1 AND t.org_id = $2
        """;

    /// <summary>Stores a thread; no row when the agent is unknown or the time of creation is taken.</summary>
    public static SqlStatement Insert(ConversationThread t) => new(InsertText,
        [t.Id, t.OrgId, t.AgentId, t.Title, t.Kind, t.Status, t.ActiveProfile, t.SystemPromptOverlay, t.ResourceBindings, t.UserId, t.Metadata, t.LastSeq, t.CreatedAt, t.UpdatedAt, t.Hidden, t.ExpiresAt, t.ParentThreadId]);

    public static SqlStatement InsertOwner(ConversationThread t, string userId, string? name) => new(InsertOwnerText, [t.OrgId, t.Id, userId, name, t.CreatedAt]);

    /// <summary>Few threads are visitors', so the statement that stores a thread does not know them.</summary>
    public static SqlStatement NotePublication(ConversationThread t) => new("UPDATE threads SET publication_id = $2, visitor = $3 WHERE id = $1", [t.Id, t.PublicationId, t.Visitor]);

    /// <summary>A thread of the organisation with its agent.</summary>
    public static SqlStatement Find(Guid thread, Guid org) => new(FindText, [thread, org]);

    /// <summary>Reads what <see cref="Find"/> finds.</summary>
    public static readonly SqlMap<ThreadWithAgent> Map = static row =>
    {
        var thread = new ConversationThread
        {
            Id = row.Id(),
            OrgId = row.Id(),
            AgentId = row.Id(),
            Title = row.TextOrNull(),
            Kind = row.Text(),
            Status = row.Text(),
            ActiveProfile = row.TextOrNull(),
            SystemPromptOverlay = row.TextOrNull(),
            ResourceBindings = row.Text(),
            UserId = row.TextOrNull(),
            ActiveTurnId = row.IdOrNull(),
            PendingTurnId = row.IdOrNull(),
            PendingExpiresAt = row.TimeOrNull(),
            Metadata = row.Text(),
            LastSeq = row.Long(),
            CompactedSeq = row.Long(),
            CreatedAt = row.Time(),
            UpdatedAt = row.Time(),
        };
        return new(thread, new Agent
        {
            Id = thread.AgentId,
            OrgId = thread.OrgId,
            Name = row.Text(),
            StablePreamble = row.TextOrNull(),
            DefaultModel = row.Text(),
            Temperature = row.NumberOrNull(),
            ToolProfiles = row.TextOrNull(),
            DefaultProfile = row.TextOrNull(),
            MaxToolCalls = row.Integer(),
            MaxOutputTokens = row.IntegerOrNull(),
            CreatedAt = row.Time(),
            UpdatedAt = row.Time(),
            DeletedAt = row.TimeOrNull(),
            Equipment = row.Long(),
        });
    };
}

/// <summary>What a turn starts from.</summary>
internal sealed record ThreadWithAgent(ConversationThread Thread, Agent Agent);
