using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge;

/// <summary>Writes about documents as a whole. What can be found of a scope changes only together with its version.</summary>
internal static class DocumentSql
{
    private const string EnsureScopeText = "INSERT INTO knowledge_scopes (org_id, type, scope_id, version, chunks, words) VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT (scope_id) DO NOTHING";

    private const string ScopeText = "SELECT number FROM knowledge_scopes WHERE scope_id = $1 AND org_id = $2";

    private const string LockScopeText = "SELECT 1 FROM knowledge_scopes WHERE number = $1";

    private const string LockText = "SELECT 1 FROM documents WHERE id = $1 AND org_id = $2 AND status <> 'deleted'";

    private const string BeginText = """
        INSERT INTO documents (id, org_id, scope_type, scope_id, title, titled, source_ref, size_bytes, metadata, status, chunk_count, claim, attempts, created_at, updated_at)
        VALUES ($1, $2, '', $2, '', $4, '', 0, '{}', 'receiving', 0, 0, 0, $3, $3)
        """;

    private const string AppendText = "INSERT INTO document_pieces (document_id, position, content) SELECT $1, $2, $3 WHERE EXISTS (SELECT 1 FROM documents WHERE id = $1)";

    private const string FinishText = """
        UPDATE documents SET scope = $2, scope_type = $3, scope_id = $4, title = $5, titled = $6, source_ref = $7, address = $8, declared_type = $9, media_type = $10, size_bytes = $11, sha256 = $12,
            metadata = $13, refresh_hours = $14, last_fetched_at = $15, fetch_due_at = $16, status = 'pending', work = 'index', queued_at = $17
        WHERE id = $1 AND status = 'receiving'
            AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.scope = $2 AND o.sha256 = $12)
            AND (SELECT COUNT(*) FROM documents o WHERE o.scope = $2 AND o.status <> 'deleted') < $18
            AND ($3 <> 'thread' OR EXISTS (SELECT 1 FROM threads WHERE id = $4)) AND ($3 <> 'agent' OR EXISTS (SELECT 1 FROM agents WHERE id = $4 AND deleted_at IS NULL))
        """;

    private const string TakeFromScopeText = """
        UPDATE knowledge_scopes SET version = version + 1,
            chunks = chunks - COALESCE((SELECT r.chunks FROM documents d JOIN document_revisions r ON r.number = d.revision WHERE d.id = $1), 0),
            words = words - COALESCE((SELECT r.words FROM documents d JOIN document_revisions r ON r.number = d.revision WHERE d.id = $1), 0)
        WHERE number = (SELECT scope FROM documents WHERE id = $1)
        """;

    private const string TellAgentsText = """
        UPDATE agents SET equipment = equipment + 1 WHERE org_id = $2 AND EXISTS (SELECT 1 FROM documents d JOIN knowledge_scopes s ON s.number = d.scope
            WHERE d.id = $1 AND s.chunks = 0 AND (s.type <> 'agent' OR s.scope_id = agents.id))
        """;

    private const string HideText = "UPDATE documents SET status = 'deleted', work = NULL, node = NULL, sha256 = NULL, fetch_due_at = NULL, revision = NULL, claim = claim + 1 WHERE id = $1";

    private const string RequeueText = """
        UPDATE documents SET work = $3, queued_at = $4, attempts = 0, node = NULL, claim = claim + 1, status = CASE WHEN $5 THEN 'processing' ELSE status END, error = CASE WHEN $5 THEN NULL ELSE error END,
            updated_at = CASE WHEN $5 THEN $4 ELSE updated_at END
        WHERE id = $1 AND org_id = $2 AND status NOT IN ('receiving', 'deleted')
        """;

    private const string NewVersionText = "UPDATE knowledge_scopes SET version = version + 1 WHERE number = (SELECT scope FROM documents WHERE id = $1)";

    private const string HiddenText = "SELECT id, org_id FROM documents WHERE status = 'deleted' OR status = 'receiving' AND created_at < $1 LIMIT 100";

    // The bytes of what is queued by now stay.
    private const string OutOfSightText = "UPDATE documents SET status = 'deleted', claim = claim + 1 WHERE id = $1 AND status IN ('receiving', 'deleted')";

    private const string RevisionsText = "SELECT number FROM document_revisions WHERE document_id = $1";

    private const string EraseText = "DELETE FROM documents WHERE id = $1 AND status IN ('deleted', 'receiving')";

    private const string ErasePiecesText = "DELETE FROM document_pieces WHERE document_id = $1 AND position IN (SELECT position FROM document_pieces WHERE document_id = $1 LIMIT 8)";

    private const string EraseEmptyScopesText = """
        DELETE FROM knowledge_scopes WHERE number IN (SELECT s.number FROM knowledge_scopes s WHERE s.type <> 'org' AND s.chunks = 0
            AND NOT EXISTS (SELECT 1 FROM threads t WHERE t.id = s.scope_id) AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = s.scope_id AND a.deleted_at IS NULL) AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.scope = s.number) LIMIT 200)
        """;

    public static SqlStatement EnsureScope(Guid org, string type, Guid id) => new(EnsureScopeText, [org, type, id]);

    public static SqlStatement FindScope(Guid org, Guid id) => new(ScopeText, [id, org]);

    /// <summary>Keeps others from adding to the scope until the unit is committed.</summary>
    public static SqlStatement LockScope(long scope) => new(LockScopeText, [scope]) { Guards = true };

    /// <summary>Makes a document whose bytes follow.</summary>
    public static SqlStatement Begin(Guid id, Guid org, DateTime now) => new(BeginText, [id, org, now, false]);

    public static SqlStatement Append(Guid id, int position, byte[] content) => new(AppendText, [id, position, content]);

    /// <summary>The bytes are whole: the document is queued. No row when the same bytes are there already, the scope is full, or it is gone.</summary>
    public static SqlStatement Finish(Document d, int most) => new(FinishText,
        [d.Id, d.Scope, d.ScopeType, d.ScopeId, d.Title, d.Titled, d.SourceRef, d.Address, d.DeclaredType, d.MediaType, d.SizeBytes, d.Sha256, d.Metadata, d.RefreshHours, d.LastFetchedAt, d.FetchDueAt, d.QueuedAt, most]);

    /// <summary>Takes a document out of sight, at once and whole.</summary>
    public static SqlStatement[] Hide(Guid id, Guid org) => [new(LockText, [id, org]) { Guards = true }, new(TakeFromScopeText, [id]), new(TellAgentsText, [id, org]), new(HideText, [id])];

    /// <summary>Queues a document anew.</summary>
    /// <param name="id">Which.</param>
    /// <param name="org">Whose.</param>
    /// <param name="work">One of <see cref="DocumentWork"/>.</param>
    /// <param name="shows">True when somebody asked for it: the document shows as processing, and is not found meanwhile.</param>
    /// <param name="now">When.</param>
    public static SqlStatement[] Requeue(Guid id, Guid org, string work, bool shows, DateTime now) => [new(LockText, [id, org]) { Guards = true }, new(NewVersionText, [id]), new(RequeueText, [id, org, work, now, shows])];

    /// <summary>Documents that are to be cleared away; those whose bytes stopped coming count from <paramref name="before"/>.</summary>
    public static SqlStatement Hidden(DateTime before) => new(HiddenText, [before]);

    /// <summary>Claims what was never shown, or is not any more, for being erased. No row when it is a document.</summary>
    public static SqlStatement OutOfSight(Guid id) => new(OutOfSightText, [id]);

    public static SqlStatement Revisions(Guid id) => new(RevisionsText, [id]);

    public static SqlStatement ErasePieces(Guid id) => new(ErasePiecesText, [id]);

    public static SqlStatement Erase(Guid id) => new(EraseText, [id]);

    public static SqlStatement EraseEmptyScopes() => new(EraseEmptyScopesText, []);
}
