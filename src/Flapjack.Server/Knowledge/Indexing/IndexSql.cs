using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>The queue of documents, and what reading one writes. Every unit begins with a guard: whoever lost the work writes nothing.</summary>
internal static class IndexSql
{
    /// <summary>Rows of words in one statement.</summary>
    public const int WordsAtOnce = 40;

    private const string WaitingText = "SELECT id, org_id, claim FROM documents WHERE work IS NOT NULL AND (node IS NULL OR lease_until < flapjack_now(0)) ORDER BY queued_at LIMIT 16";

    private const string ClaimText = """
        UPDATE documents SET node = $3, lease_until = flapjack_now($4), claim = claim + 1, attempts = attempts + 1, status = CASE WHEN status = 'pending' THEN 'processing' ELSE status END
        WHERE id = $1 AND claim = $2 AND work IS NOT NULL AND (node IS NULL OR lease_until < flapjack_now(0))
        """;

    private const string RenewText = "UPDATE documents SET lease_until = flapjack_now($3) WHERE id = $1 AND claim = $2 AND node IS NOT NULL AND work IS NOT NULL";

    private const string ReleaseText = "UPDATE documents SET node = NULL, attempts = attempts - $3 WHERE id = $1 AND claim = $2";

    private const string ReleaseNodeText = "UPDATE documents SET node = NULL WHERE work IS NOT NULL AND node = $1";

    private const string ReleaseAllText = "UPDATE documents SET node = NULL WHERE work IS NOT NULL AND node IS NOT NULL";

    private const string OwnedText = "SELECT 1 FROM documents WHERE id = $1 AND claim = $2";

    private const string PieceText = "SELECT content FROM document_pieces WHERE document_id = $1 AND position = $2 AND EXISTS (SELECT 1 FROM documents WHERE id = $1 AND sha256 = $3)";

    private const string BeginText = "INSERT INTO document_revisions (document_id, scope, chunks, words) SELECT id, scope, 0, 0 FROM documents WHERE id = $1 RETURNING number";

    private const string ChunkText = "INSERT INTO document_chunks (revision, position, id, tokens, page, heading, text) VALUES ($1, $2, $3, $4, $5, $6, $7)";

    private const string VectorText = "INSERT INTO document_vectors (revision, position, data) VALUES ($1, $2, $3)";

    private const string SketchesText = "INSERT INTO document_sketches (revision, model, dimensions, data) VALUES ($1, $2, $3, $4)";

    private const string ProgressText = "UPDATE documents SET chunk_count = $2 WHERE id = $1 AND revision IS NULL";

    private const string TellAgentsText = """
        UPDATE agents SET equipment = equipment + 1 WHERE org_id = $2 AND EXISTS (SELECT 1 FROM documents d JOIN knowledge_scopes s ON s.number = d.scope
            WHERE d.id = $1 AND s.chunks = 0 AND (s.type <> 'agent' OR s.scope_id = agents.id)
            AND (s.type <> 'thread' OR NOT EXISTS (SELECT 1 FROM knowledge_scopes o WHERE o.org_id = $2 AND o.type = 'thread' AND o.chunks > 0)))
        """;

    private const string AddToScopeText = """
        UPDATE knowledge_scopes SET version = version + 1,
            chunks = chunks + $2 - COALESCE((SELECT r.chunks FROM documents d JOIN document_revisions r ON r.number = d.revision WHERE d.id = $1), 0),
            words = words + $3 - COALESCE((SELECT r.words FROM documents d JOIN document_revisions r ON r.number = d.revision WHERE d.id = $1), 0)
        WHERE number = (SELECT scope FROM documents WHERE id = $1)
        """;

    private const string CountText = "UPDATE document_revisions SET chunks = $2, words = $3 WHERE number = $1";

    private const string PublishText = """
        UPDATE documents SET revision = $2, status = 'ready', error = NULL, chunk_count = $3, media_type = $4, page_count = $5, title = CASE WHEN titled THEN title ELSE COALESCE($6, title) END,
            embedding_model = $7, work = NULL, node = NULL, attempts = 0, updated_at = $8
        WHERE id = $1
        """;

    private const string FailText = "UPDATE documents SET status = CASE WHEN revision IS NULL OR status = 'processing' THEN 'error' ELSE status END, error = $2, work = NULL, node = NULL, attempts = 0, updated_at = $3 WHERE id = $1";

    private const string NewVersionText = "UPDATE knowledge_scopes SET version = version + 1 WHERE number = (SELECT scope FROM documents WHERE id = $1)";

    private const string OlderText = "SELECT number FROM document_revisions WHERE document_id = $1 AND number < $2";

    private const string OthersText = "SELECT number FROM document_revisions WHERE document_id = $1 AND number <> $2";

    private const string EraseWordsText = "DELETE FROM document_words WHERE (scope, word, revision) IN (SELECT scope, word, revision FROM document_words WHERE revision = $1 LIMIT 5000)";

    private const string EraseChunksText = "DELETE FROM document_chunks WHERE revision = $1 AND position IN (SELECT position FROM document_chunks WHERE revision = $1 LIMIT 500)";

    private const string EraseVectorsText = "DELETE FROM document_vectors WHERE revision = $1 AND position IN (SELECT position FROM document_vectors WHERE revision = $1 LIMIT 500)";

    private const string EraseRevisionText = "DELETE FROM document_revisions WHERE number = $1";

    private const string ClearPiecesText = "DELETE FROM document_pieces WHERE document_id = $1";

    private const string AddPieceText = "INSERT INTO document_pieces (document_id, position, content) VALUES ($1, $2, $3)";

    private const string FetchedText = "UPDATE documents SET size_bytes = $2, sha256 = $3, declared_type = $4, media_type = COALESCE($5, media_type), last_fetched_at = $6, fetch_due_at = $7, work = $8 WHERE id = $1";

    private const string UnchangedText = """
        UPDATE documents SET last_fetched_at = $2, fetch_due_at = $3, work = NULL, node = NULL, attempts = 0, error = NULL, status = CASE WHEN revision IS NULL THEN status ELSE 'ready' END, updated_at = $2 WHERE id = $1
        """;

    private const string NotFetchedText = """
        UPDATE documents SET error = 'FETCH_FAILED', fetch_due_at = $2, work = NULL, node = NULL, attempts = 0, status = CASE WHEN revision IS NULL THEN 'error' ELSE 'ready' END, updated_at = $3 WHERE id = $1
        """;

    private const string FetchDueText = "UPDATE documents SET work = 'fetch', queued_at = $1, attempts = 0 WHERE work IS NULL AND id IN (SELECT id FROM documents WHERE fetch_due_at <= $1 AND work IS NULL AND status IN ('ready', 'error') ORDER BY fetch_due_at LIMIT 200)";

    private const string OtherModelText = """
        UPDATE documents SET work = 'index', queued_at = $2, attempts = 0 WHERE id IN (SELECT id FROM documents WHERE work IS NULL
            AND (status = 'ready' AND COALESCE(error, '') <> 'EMBEDDING_FAILED' AND COALESCE(embedding_model, '') <> $1 AND queued_at < $2 OR status IN ('ready', 'error') AND error = 'EMBEDDING_FAILED' AND queued_at < $3) LIMIT 200)
        """;

    private static readonly string WordsText = $"""
        INSERT INTO document_words (scope, revision, word, hits, data) VALUES {string.Join(", ", Enumerable.Range(0, WordsAtOnce).Select(i => $"($1, $2, ${3 + 3 * i}, ${4 + 3 * i}, ${5 + 3 * i})"))}
        """;

    private const string WordText = "INSERT INTO document_words (scope, revision, word, hits, data) VALUES ($1, $2, $3, $4, $5)";

    public static SqlStatement Waiting() => new(WaitingText, []);

    public static SqlStatement Claim(Guid id, long claim, string node, TimeSpan lease) => new(ClaimText, [id, claim, node, lease.TotalSeconds]);

    public static SqlStatement Renew(Guid id, long claim, TimeSpan lease) => new(RenewText, [id, claim, lease.TotalSeconds]);

    /// <summary>Gives work back; it counts as not begun when nothing was wrong with it.</summary>
    public static SqlStatement Release(Guid id, long claim, bool uncounted) => new(ReleaseText, [id, claim, uncounted ? 1 : 0]);

    public static SqlStatement ReleaseNode(string? node) => node is null ? new(ReleaseAllText, []) : new(ReleaseNodeText, [node]);

    public static SqlStatement Owned(Guid id, long claim) => new(OwnedText, [id, claim]) { Guards = true };

    /// <summary>A piece of the bytes with this hash; no row when the document has others by now, or is gone.</summary>
    public static SqlStatement Piece(Guid id, int position, string? sha256) => new(PieceText, [id, position, sha256]);

    public static SqlStatement Begin(Guid id) => new(BeginText, [id]) { Returns = true };

    public static SqlStatement Chunk(long revision, Guid id, TextChunk c) => new(ChunkText, [revision, c.Position, id, c.Tokens, c.Page, c.Heading, c.Text]);

    public static SqlStatement Vector(long revision, int position, byte[] data) => new(VectorText, [revision, position, data]);

    public static SqlStatement Sketches(long revision, string model, int dimensions, byte[] data) => new(SketchesText, [revision, model, dimensions, data]);

    public static SqlStatement Progress(Guid id, int chunks) => new(ProgressText, [id, chunks]);

    public static SqlStatement Words(long scope, long revision, IReadOnlyList<(string Word, int Hits, byte[] Data)> words) =>
        new(WordsText, [scope, revision, .. words.SelectMany(w => (SqlValue[])[w.Word, w.Hits, w.Data])]);

    public static SqlStatement Word(long scope, long revision, (string Word, int Hits, byte[] Data) w) => new(WordText, [scope, revision, w.Word, w.Hits, w.Data]);

    /// <summary>Makes a revision the one that is found.</summary>
    public static SqlStatement[] Publish(Document d, long revision, IndexedDocument read, DateTime now) =>
    [
        new(TellAgentsText, [d.Id, d.OrgId]), new(AddToScopeText, [d.Id, (long)read.Chunks, read.Words]), new(CountText, [revision, (long)read.Chunks, read.Words]),
        new(PublishText, [d.Id, revision, read.Chunks, read.MediaType, read.PageCount, read.Title, read.EmbeddingModel, now]),
    ];

    public static SqlStatement[] Fail(Guid id, string error, DateTime now) => [new(NewVersionText, [id]), new(FailText, [id, error, now])];

    /// <summary>Revisions that were begun before this one.</summary>
    public static SqlStatement Older(Guid id, long revision) => new(OlderText, [id, revision]);

    /// <summary>Revisions that are not this one.</summary>
    public static SqlStatement Others(Guid id, long revision) => new(OthersText, [id, revision]);

    /// <summary>The statements that empty a revision, each to be repeated until it finds nothing.</summary>
    public static SqlStatement[] EraseContents(long revision) => [new(EraseWordsText, [revision]), new(EraseVectorsText, [revision]), new(EraseChunksText, [revision])];

    public static SqlStatement EraseRevision(long revision) => new(EraseRevisionText, [revision]);

    /// <summary>Other bytes came from the document's address; they are to be read.</summary>
    public static IEnumerable<SqlStatement> Fetched(Guid id, IReadOnlyList<byte[]> pieces, string sha256, string? declaredType, string? mediaType, DateTime now, DateTime? due) =>
    [
        new(ClearPiecesText, [id]), .. pieces.Select((piece, i) => new SqlStatement(AddPieceText, [id, i, piece])),
        new(FetchedText, [id, pieces.Sum(p => (long)p.Length), sha256, declaredType, mediaType, now, due, DocumentWork.Index]),
    ];

    public static SqlStatement[] Unchanged(Guid id, DateTime now, DateTime? due) => [new(NewVersionText, [id]), new(UnchangedText, [id, now, due])];

    public static SqlStatement[] NotFetched(Guid id, DateTime? due, DateTime now) => [new(NewVersionText, [id]), new(NotFetchedText, [id, due, now])];

    /// <summary>Queues documents whose address is to be fetched again.</summary>
    public static SqlStatement FetchDue(DateTime now) => new(FetchDueText, [now]);

    /// <summary>Queues documents that have vectors of another model, or none; each once a round, however fast it fails. Those that could not be embedded only when that was tried before <paramref name="failed"/>.</summary>
    public static SqlStatement OtherModel(string model, DateTime now, DateTime failed) => new(OtherModelText, [model, now, failed]);
}

/// <summary>What was read of a document.</summary>
internal sealed record IndexedDocument(int Chunks, long Words, string MediaType, int? PageCount, string? Title, string? EmbeddingModel);
