using Flapjack.Server.Logs;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Every write of a turn. Each is conditional on the thread still belonging to the turn, so that a turn which lost its thread writes nothing.</summary>
internal static class TurnSql
{
    private const string Owned = "EXISTS (SELECT 1 FROM threads WHERE id = $1 AND active_turn_id = $2)";

    private const string ClaimText = """
        UPDATE threads SET active_turn_id = $1, last_seq = last_seq + 1, updated_at = $2
        WHERE id = $3 AND org_id = $4 AND active_turn_id IS NULL AND pending_turn_id IS NULL AND status = 'active' RETURNING last_seq
        """;

    private const string InsertUserText = """
        INSERT INTO messages (id, org_id, thread_id, seq, turn_id, role, content, tail_start, complete, is_error, sender_name, sender_id, stopped, created_at)
        SELECT $3, $4, $1, last_seq, $2, 'user', $5, 0, $6, $7, $8, $9, $7, $10 FROM threads WHERE id = $1 AND active_turn_id = $2
        """;

    private const string InsertTurnText = $"""
        INSERT INTO turns (id, org_id, thread_id, agent_id, status, node, lease_until, user_message_id, request, started_at, credential_id, fence)
        SELECT $2, $3, $1, $4, 'running', $5, flapjack_now($6), $7, $8, $9, $10, 0 WHERE {Owned}
        """;

    private const string InsertTraceText = $"""
        INSERT INTO log_traces (id, org_id, agent_id, thread_id, session_id, user_id, name, status, started_at, input_tokens, output_tokens, cost_usd, tags, metadata, span_count, error_count, llm_call_count, tool_call_count)
        SELECT $2, $3, $4, $1, $5, $6, $7, 'running', $8, 0, 0, 0, $9, $10, 0, 0, 0, 0 WHERE {Owned}
        """;

    private const string InsertMessageText = $"""
        INSERT INTO messages (id, org_id, thread_id, seq, turn_id, role, content, tail_start, tool_calls, reasoning, tool_call_id, tool_name, complete, is_error, stopped, error, model,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, created_at, sender_name, sender_id)
        SELECT $3, $4, $1, $5, $2, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25 WHERE {Owned}
        """;

    private const string AdvanceText = "UPDATE threads SET last_seq = $3 WHERE id = $1 AND active_turn_id = $2";

    private const string ResultText = $"UPDATE messages SET content = $3, is_error = $4, complete = $5 WHERE thread_id = $1 AND turn_id = $2 AND tool_call_id = $6 AND {Owned}";

    private const string NextLegText = $"UPDATE turns SET leg = $3 WHERE id = $2 AND {Owned}";

    private const string EndTurnText = $"""
        UPDATE turns SET status = $3, finish_reason = $4, error = $5, ended_at = $6, progress = $7, events = COALESCE($8, events) WHERE id = $2 AND {Owned}
        """;

    private const string EndTraceText = $"""
        UPDATE log_traces SET status = $3, ended_at = $4, input_tokens = $5, output_tokens = $6, cost_usd = $7, tags = $8,
            span_count = span_count + $9, error_count = error_count + $10, llm_call_count = llm_call_count + $11, tool_call_count = tool_call_count + $12 WHERE id = $2 AND {Owned}
        """;

    private const string InsertSpanText = $"""
        INSERT INTO log_spans (id, org_id, trace_id, parent_span_id, kind, name, status, started_at, ended_at, input, output, error, attributes, provider, model, temperature, max_tokens,
            input_tokens, output_tokens, cached_input_tokens, cost_usd, credential_source)
        SELECT $3, $4, $2, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23 WHERE {Owned}
        """;

    private const string ReleaseText = "UPDATE threads SET active_turn_id = NULL, last_seq = $3, updated_at = $4 WHERE id = $1 AND active_turn_id = $2";

    private const string PauseText = "UPDATE threads SET active_turn_id = NULL, pending_turn_id = $2, pending_expires_at = $5, last_seq = $3, updated_at = $4 WHERE id = $1 AND active_turn_id = $2";

    // Requests that bring results at the same time must not each believe that the other's are still missing: each begins with
    // a step of the progress, which locks the row and which only one of them can make; the rest depends on that step.
    private const string StepProgressText = """
        UPDATE turns SET progress = $3, request = $4, events = COALESCE($6, events) WHERE id = $2 AND progress = $5 AND EXISTS (SELECT 1 FROM threads WHERE id = $1 AND pending_turn_id = $2)
        """;

    private const string AnswerText = """
        UPDATE messages SET content = $3, is_error = $4, complete = $5 WHERE thread_id = $1 AND turn_id = $2 AND tool_call_id = $6 AND role = 'tool'
            AND EXISTS (SELECT 1 FROM threads WHERE id = $1 AND pending_turn_id = $2) AND EXISTS (SELECT 1 FROM turns WHERE id = $2 AND progress = $7)
        """;

    private const string AppendWaitingText = """
        UPDATE threads SET last_seq = last_seq + 1, updated_at = $3 WHERE id = $1 AND pending_turn_id = $2 AND EXISTS (SELECT 1 FROM turns WHERE id = $2 AND progress = $4)
        """;

    private const string InsertWaitingUserText = """
        INSERT INTO messages (id, org_id, thread_id, seq, turn_id, role, content, tail_start, complete, is_error, sender_name, sender_id, stopped, created_at)
        SELECT $3, $4, $1, last_seq, $2, 'user', $5, 0, $6, $7, $8, $9, $7, $10 FROM threads
        WHERE id = $1 AND pending_turn_id = $2 AND EXISTS (SELECT 1 FROM turns WHERE id = $2 AND progress = $11)
        """;

    private const string ResumeText = """
        UPDATE threads SET active_turn_id = $2, pending_turn_id = NULL, pending_expires_at = NULL, last_seq = last_seq + $3, updated_at = $4
        WHERE id = $1 AND pending_turn_id = $2 AND active_turn_id IS NULL AND status = 'active' AND EXISTS (SELECT 1 FROM turns WHERE id = $2 AND progress = $5) RETURNING last_seq
        """;

    private const string RunAgainText = $"UPDATE turns SET status = 'running', node = $3, lease_until = flapjack_now($4), request = $5, credential_id = $6 WHERE id = $2 AND {Owned}";

    private const string TakePendingText = """
        UPDATE threads SET pending_turn_id = NULL, pending_expires_at = NULL, active_turn_id = $2, updated_at = $3 WHERE id = $1 AND pending_turn_id = $2 AND active_turn_id IS NULL RETURNING last_seq
        """;

    // A turn that was resumed is not waiting, so this leaves it alone.
    private const string RunToEndText = $"UPDATE turns SET status = 'running', node = $3, lease_until = flapjack_now($4) WHERE id = $2 AND status = 'awaiting_action' AND {Owned}";

    private const string CloseCallsText = $"UPDATE messages SET content = $3, is_error = $4, complete = $4 WHERE thread_id = $1 AND turn_id = $2 AND role = 'tool' AND complete = $5 AND {Owned}";

    private const string CloseTraceText = $"UPDATE log_traces SET status = $3, ended_at = $4 WHERE id = $2 AND {Owned}";

    private const string StopTraceText = $"UPDATE log_traces SET status = 'ok', ended_at = $3, tags = $4, span_count = span_count + 1 WHERE id = $2 AND {Owned}";

    private const string NoteIdempotentText = $"UPDATE idempotency_records SET turn_id = $2 WHERE id = $3 AND {Owned}";

    private const string RenewText = "UPDATE turns SET lease_until = flapjack_now($1) WHERE node = $2 AND status = 'running'";

    private const string GuardText = "SELECT 1 FROM turns WHERE thread_id = $1 AND id = $2 AND fence = $3 AND status = 'running'";

    private const string ProgressText = "UPDATE turns SET progress = $2, events = COALESCE($3, events) WHERE id = $1";

    private const string HandOverText = "UPDATE turns SET node = '', lease_until = flapjack_now(0), progress = $2, events = COALESCE($3, events) WHERE id = $1";

    private const string ExpiredText = "SELECT id, org_id FROM turns WHERE status = 'running' AND lease_until < flapjack_now(0) AND node <> $1 ORDER BY lease_until LIMIT 100";

    /// <summary>A longer list of turns is cut here.</summary>
    public const int MostListed = 10_000;

    private const string OfNodeText = "SELECT id, org_id FROM turns WHERE status = 'running' AND node = $1 LIMIT 10000";

    private const string AllRunningText = "SELECT id, org_id FROM turns WHERE status = 'running' LIMIT 10000";

    private const string TakeOverText = "UPDATE turns SET node = $2, fence = fence + 1, lease_until = flapjack_now($3) WHERE id = $1 AND fence = $4 AND status = 'running'";

    /// <summary>Gives the thread to a turn; returns the sequence number of its user message, or no row when the thread is busy.</summary>
    public static SqlStatement Claim(Guid turn, Guid thread, Guid org, DateTime now) => new(ClaimText, [turn, now, thread, org]) { Returns = true };

    public static SqlStatement InsertUser(Message m) => new(InsertUserText, [m.ThreadId, m.TurnId, m.Id, m.OrgId, m.Content, true, false, m.SenderName, m.SenderId, m.CreatedAt]);

    public static SqlStatement InsertTurn(Turn t, TimeSpan lease) => new(InsertTurnText, [t.ThreadId, t.Id, t.OrgId, t.AgentId, t.Node, lease.TotalSeconds, t.UserMessageId, t.Request, t.StartedAt, t.CredentialId]);

    public static SqlStatement InsertTrace(Trace t) => new(InsertTraceText, [t.ThreadId, t.Id, t.OrgId, t.AgentId, t.SessionId, t.UserId, t.Name, t.StartedAt, t.Tags, t.Metadata]);

    // PostgreSQL takes no U+0000, and models may write anything.
    public static SqlStatement InsertMessage(Message m) => new(InsertMessageText,
    [
        m.ThreadId, m.TurnId, m.Id, m.OrgId, m.Seq, m.Role, m.Content.Replace('\0', '\uFFFD'), m.TailStart, m.ToolCalls, m.Reasoning, m.ToolCallId, m.ToolName, m.Complete, m.IsError, m.Stopped, m.Error, m.Model,
        m.InputTokens, m.OutputTokens, m.CacheReadTokens, m.CacheWriteTokens, m.CostUsd, m.CreatedAt, m.SenderName, m.SenderId,
    ]);

    public static SqlStatement Advance(Guid thread, Guid turn, long seq) => new(AdvanceText, [thread, turn, seq]);

    public static SqlStatement Result(Guid thread, Guid turn, string callId, string content, bool isError) => new(ResultText, [thread, turn, content, isError, true, callId]);

    /// <summary>Notes which agent answers next.</summary>
    public static SqlStatement NextLeg(Guid thread, Guid turn, int leg) => new(NextLegText, [thread, turn, leg]);

    /// <summary>Ends a turn, or lets it wait. Events that were recorded stay when none are given.</summary>
    public static SqlStatement EndTurn(Guid thread, Guid turn, string status, string? finishReason, string? error, DateTime? endedAt, string? progress, byte[]? events) =>
        new(EndTurnText, [thread, turn, status, finishReason, error, endedAt, progress, events]);

    public static SqlStatement EndTrace(Trace t) => new(EndTraceText,
        [t.ThreadId, t.Id, t.Status, t.EndedAt, t.InputTokens, t.OutputTokens, t.CostUsd, t.Tags, t.SpanCount, t.ErrorCount, t.LlmCallCount, t.ToolCallCount]);

    public static SqlStatement InsertSpan(Guid thread, Span s) => new(InsertSpanText,
    [
        thread, s.TraceId, s.Id, s.OrgId, s.ParentSpanId, s.Kind, s.Name, s.Status, s.StartedAt, s.EndedAt, s.Input, s.Output, s.Error, s.Attributes, s.Provider, s.Model, s.Temperature,
        s.MaxTokens, s.InputTokens, s.OutputTokens, s.CachedInputTokens, s.CostUsd, s.CredentialSource,
    ]);

    /// <summary>Last statement of a turn: the thread is free again.</summary>
    public static SqlStatement Release(Guid thread, Guid turn, long lastSeq, DateTime now) => new(ReleaseText, [thread, turn, lastSeq, now]);

    /// <summary>Last statement of a stream that waits for the client.</summary>
    public static SqlStatement Pause(Guid thread, Guid turn, long lastSeq, DateTime now, DateTime expiresAt) => new(PauseText, [thread, turn, lastSeq, now, expiresAt]);

    /// <summary>Stores the client's result of a pending call.</summary>
    public static SqlStatement Answer(Guid thread, Guid turn, ToolAnswer answer, string progress) => new(AnswerText, [thread, turn, answer.Content, answer.IsError, true, answer.CallId, progress]);

    /// <summary>Gives the thread back to the turn that waited; returns the newest sequence number, or no row when somebody else did.</summary>
    public static SqlStatement Resume(Guid thread, Guid turn, int newMessages, DateTime now, string progress) => new(ResumeText, [thread, turn, newMessages, now, progress]) { Returns = true };

    public static SqlStatement RunAgain(Guid thread, Guid turn, string node, TimeSpan lease, string request, Guid credential) => new(RunAgainText, [thread, turn, node, lease.TotalSeconds, request, credential]);

    /// <summary>First statement of a request that brings results: no row when another one came first.</summary>
    public static SqlStatement StepProgress(Guid thread, Guid turn, string progress, string request, string before, byte[]? events) => new(StepProgressText, [thread, turn, progress, request, before, events]);

    /// <summary>Makes room for a message to a turn that goes on waiting.</summary>
    public static SqlStatement AppendWaiting(Guid thread, Guid turn, DateTime now, string progress) => new(AppendWaitingText, [thread, turn, now, progress]);

    public static SqlStatement InsertWaitingUser(Message m, string progress) => new(InsertWaitingUserText, [m.ThreadId, m.TurnId, m.Id, m.OrgId, m.Content, true, false, m.SenderName, m.SenderId, m.CreatedAt, progress]);

    /// <summary>Takes a thread from the client it waits for, to end the turn.</summary>
    public static SqlStatement TakePending(Guid thread, Guid turn, DateTime now) => new(TakePendingText, [thread, turn, now]) { Returns = true };

    /// <summary>Begins a unit that takes or ends a waiting turn: whoever changes turn and thread locks the turn first, so that two of them cannot wait for each other.</summary>
    public static SqlStatement LockWaiting(Guid turn) => new("UPDATE turns SET node = node WHERE id = $1 AND status = 'awaiting_action'", [turn]);

    /// <summary>Makes a turn that was taken look like one that runs here, so that it is ended if this node dies.</summary>
    public static SqlStatement RunToEnd(Guid thread, Guid turn, string node, TimeSpan lease) => new(RunToEndText, [thread, turn, node, lease.TotalSeconds]);

    /// <summary>Gives every call without a result this one.</summary>
    public static SqlStatement CloseCalls(Guid thread, Guid turn, string content) => new(CloseCallsText, [thread, turn, content, true, false]);

    /// <summary>Ends a trace whose numbers are already in it.</summary>
    public static SqlStatement CloseTrace(Guid thread, Guid turn, string status, DateTime now) => new(CloseTraceText, [thread, turn, status, now]);

    /// <summary>Ends the trace of a turn that was stopped while it waited; its root span goes with it.</summary>
    public static SqlStatement StopTrace(Guid thread, Guid turn, string tags, DateTime now) => new(StopTraceText, [thread, turn, now, tags]);

    /// <summary>Notes the turn that answers a request with an <c>Idempotency-Key</c>.</summary>
    public static SqlStatement NoteIdempotentTurn(Guid thread, Guid turn, Guid claim) => new(NoteIdempotentText, [thread, turn, claim]);

    /// <summary>First statement of everything a running turn writes: nothing happens once another node has taken it over.</summary>
    public static SqlStatement Guard(Guid thread, Guid turn, long fence) => new(GuardText, [thread, turn, fence]) { Guards = true };

    /// <summary>The status of a turn as long as nobody took it over.</summary>
    public static SqlStatement Status(Guid turn, long fence) => new("SELECT status FROM turns WHERE id = $1 AND fence = $2", [turn, fence]);

    /// <summary>Notes how far a running turn got.</summary>
    public static SqlStatement Progress(Guid turn, string progress, byte[]? events) => new(ProgressText, [turn, progress, events]);

    /// <summary>Leaves a running turn to whichever node looks first.</summary>
    public static SqlStatement HandOver(Guid turn, string progress, byte[]? events) => new(HandOverText, [turn, progress, events]);

    public static SqlStatement Renew(string node, TimeSpan lease) => new(RenewText, [lease.TotalSeconds, node]);

    /// <summary>Running turns whose node, another than this one, let their lease end.</summary>
    public static SqlStatement Expired(string node) => new(ExpiredText, [node]);

    public static SqlStatement OfNode(string node) => new(OfNodeText, [node]);

    public static SqlStatement AllRunning() => new(AllRunningText, []);

    /// <summary>Makes a turn this node's; changes no row when another node was faster.</summary>
    public static SqlStatement TakeOver(Turn turn, string node, TimeSpan lease) => new(TakeOverText, [turn.Id, node, lease.TotalSeconds, turn.Fence]);
}
