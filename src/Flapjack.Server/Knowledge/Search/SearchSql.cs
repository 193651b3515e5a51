using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>What a search asks the database, in SQL both understand. Lists of values have fixed lengths, filled up with what matches nothing, so that each statement is prepared once.</summary>
internal static class SearchSql
{
    public const int Scopes = 4, Counted = 16, Read = 8, Revisions = 16, Places = 64;

    private const string ScopesText = "SELECT number, type, version, chunks, words FROM knowledge_scopes WHERE org_id = $1 AND scope_id IN ($2, $3, $4, $5) AND chunks > 0";

    private const string DocumentsText = "SELECT revision, id, chunk_count FROM documents WHERE scope = $1 AND status = 'ready' AND revision IS NOT NULL";

    private const string MetadataText = "SELECT revision, metadata FROM documents WHERE scope = $1 AND status = 'ready' AND revision IS NOT NULL";

    private static readonly string SketchesText = $"SELECT revision, dimensions, data FROM document_sketches WHERE model = $1 AND revision IN ({List(2, Revisions)})";

    private static readonly string CountText = $"SELECT word, COUNT(*), SUM(hits) FROM document_words WHERE scope IN ({List(1, Scopes)}) AND word IN ({List(1 + Scopes, Counted)}) GROUP BY word";

    private static readonly string PostingsText = $"SELECT word, revision, data FROM document_words WHERE scope IN ({List(1, Scopes)}) AND word IN ({List(1 + Scopes, Read)})";

    private static readonly string PostingsInText =
        $"SELECT word, revision, data FROM document_words WHERE scope IN ({List(1, Scopes)}) AND word IN ({List(1 + Scopes, Read)}) AND revision IN ({List(1 + Scopes + Read, Revisions)})";

    private static readonly string VectorsText =
        $"SELECT v.revision, v.position, v.data FROM (VALUES {Pairs(1)}) AS w JOIN document_vectors v ON v.revision = w.column1 AND v.position = w.column2";

    private static readonly string ChunksText = $"""
        SELECT c.revision, c.position, c.id, c.text, c.tokens, c.heading, c.page, d.id, d.title, d.source_ref, d.scope_type
        FROM (VALUES {Pairs(2)}) AS w JOIN document_chunks c ON c.revision = w.column1 AND c.position = w.column2
        JOIN document_revisions r ON r.number = c.revision JOIN documents d ON d.id = r.document_id AND d.revision = r.number
        WHERE d.org_id = $1 AND d.status = 'ready'
        """;

    /// <summary>Those of the scopes that hold something.</summary>
    public static SqlStatement FindScopes(Guid org, IReadOnlyList<Guid> ids) => new(ScopesText, [org, .. Fill(ids.Select(id => (SqlValue)id), Scopes, Guid.Empty)]);

    public static SqlStatement Documents(long scope) => new(DocumentsText, [scope]);

    public static SqlStatement Metadata(long scope) => new(MetadataText, [scope]);

    public static SqlStatement Sketches(string model, IEnumerable<long> revisions) => new(SketchesText, [model, .. Fill(revisions.Select(r => (SqlValue)r), Revisions, -1L)]);

    /// <summary>In how many documents and chunks each word occurs.</summary>
    public static SqlStatement Count(IEnumerable<long> scopes, IEnumerable<string> words) => new(CountText, [.. Numbers(scopes), .. Words(words, Counted)]);

    public static SqlStatement Postings(IEnumerable<long> scopes, IEnumerable<string> words) => new(PostingsText, [.. Numbers(scopes), .. Words(words, Read)]);

    public static SqlStatement PostingsIn(IEnumerable<long> scopes, IEnumerable<string> words, IEnumerable<long> revisions) =>
        new(PostingsInText, [.. Numbers(scopes), .. Words(words, Read), .. Fill(revisions.Select(r => (SqlValue)r), Revisions, -1L)]);

    public static SqlStatement Vectors(IEnumerable<ChunkPlace> places) => new(VectorsText, [.. Values(places)]);

    public static SqlStatement Chunks(Guid org, IEnumerable<ChunkPlace> places) => new(ChunksText, [org, .. Values(places)]);

    private static IEnumerable<SqlValue> Numbers(IEnumerable<long> scopes) => Fill(scopes.Select(s => (SqlValue)s), Scopes, -1L);

    private static IEnumerable<SqlValue> Words(IEnumerable<string> words, int count) => Fill(words.Select(w => (SqlValue)w), count, "");

    private static IEnumerable<SqlValue> Values(IEnumerable<ChunkPlace> places) => Fill(places.SelectMany(p => (SqlValue[])[p.Revision, p.Position]), Places * 2, -1L, 0);

    private static IEnumerable<SqlValue> Fill(IEnumerable<SqlValue> values, int count, params SqlValue[] nothing)
    {
        var given = 0;
        foreach (var value in values)
        {
            yield return value;
            given++;
        }
        for (; given < count; given++) yield return nothing[given % nothing.Length];
    }

    private static string List(int from, int count) => string.Join(", ", Enumerable.Range(from, count).Select(i => $"${i}"));

    // The casts tell PostgreSQL the types of a list that stands alone.
    private static string Pairs(int from) => string.Join(", ", Enumerable.Range(0, Places).Select(i => $"(CAST(${from + 2 * i} AS bigint), CAST(${from + 2 * i + 1} AS integer))"));
}

/// <summary>Where a chunk stands.</summary>
internal readonly record struct ChunkPlace(long Revision, int Position);
