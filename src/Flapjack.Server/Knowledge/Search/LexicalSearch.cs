using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>BM25 (k1 1.2, b 0.75) over what the database knows of words. Both databases give the same ranking.</summary>
/// <remarks>
/// 1 count each word of the question, 2 take the rare ones, as many as there is time for, and score every chunk that has one, 3 add what the common words say
/// about the best of those. A word that nearly every chunk has thereby costs next to nothing, and decides only between chunks that have something better.
/// </remarks>
internal sealed class LexicalSearch(IReader reader)
{
    private const double K1 = 1.2, B = 0.75;
    private const int MaxWords = 64, MaxRows = 6_000, MaxHits = 60_000, MaxCommon = SearchSql.Read, Finalists = 200;

    public async Task<List<RankedPlace>> FindAsync(SearchScope scope, string query, int count, CancellationToken cancellationToken)
    {
        var words = WordFolding.WordsOf(query).Distinct(StringComparer.Ordinal).ToList();
        // Of a question that is a whole letter, the long words say most.
        if (words.Count > MaxWords) words = [.. words.OrderByDescending(w => w.Length).Take(MaxWords)];
        // 1
        var known = await CountAsync(scope, words, cancellationToken);
        if (known.Count == 0) return [];
        // 2
        var (rare, common) = Divide(known);
        var scores = new Scores(scope);
        foreach (var batch in rare.Chunk(SearchSql.Read)) Add(scores, batch, await ReadAsync(SearchSql.Postings(scope.Numbers, batch.Select(w => w.Word)), cancellationToken));
        var best = scores.Best(Finalists);
        if (common.Count == 0 || best.Count == 0) return [.. best.Take(count)];
        // 3
        scores.Narrow(best);
        foreach (var revisions in best.Select(b => b.Place.Revision).Distinct().Chunk(SearchSql.Revisions))
        {
            Add(scores, common, await ReadAsync(SearchSql.PostingsIn(scope.Numbers, common.Select(w => w.Word), revisions), cancellationToken));
        }
        return scores.Best(count);
    }

    private async Task<List<KnownWord>> CountAsync(SearchScope scope, List<string> words, CancellationToken cancellationToken)
    {
        var known = new List<KnownWord>(words.Count);
        foreach (var batch in words.Chunk(SearchSql.Counted))
        {
            known.AddRange(await reader.ReadAllAsync(SearchSql.Count(scope.Numbers, batch), static row => new KnownWord(row.Text(), row.Long(), row.Long()), cancellationToken));
        }
        known.Sort(static (one, other) => one.Chunks != other.Chunks ? one.Chunks.CompareTo(other.Chunks) : string.CompareOrdinal(one.Word, other.Word));
        return known;
    }

    private static (List<KnownWord> Rare, List<KnownWord> Common) Divide(List<KnownWord> known)
    {
        var (rows, hits, taken) = (0L, 0L, 0);
        foreach (var word in known)
        {
            (rows, hits) = (rows + word.Documents, hits + word.Chunks);
            if (taken > 0 && (rows > MaxRows || hits > MaxHits)) break;
            taken++;
        }
        return (known[..taken], [.. known.Skip(taken).Take(MaxCommon)]);
    }

    private ValueTask<List<Occurrences>> ReadAsync(SqlStatement statement, CancellationToken cancellationToken) =>
        reader.ReadAllAsync(statement, static row => new Occurrences(row.Text(), row.Long(), row.Bytes()), cancellationToken);

    private static void Add(Scores scores, IReadOnlyCollection<KnownWord> words, List<Occurrences> rows)
    {
        var weights = words.ToDictionary(w => w.Word, w => scores.WeightOf(w.Chunks), StringComparer.Ordinal);
        foreach (var row in rows) scores.Add(row, weights[row.Word]);
    }

    /// <param name="Word">The word.</param>
    /// <param name="Documents">How many have it.</param>
    /// <param name="Chunks">How many have it.</param>
    private readonly record struct KnownWord(string Word, long Documents, long Chunks);

    private readonly record struct Occurrences(string Word, long Revision, byte[] Data);

    private sealed class Scores(SearchScope scope)
    {
        private readonly Dictionary<long, float[]> _scores = [];
        private readonly long _chunks = Math.Max(1, scope.Chunks);
        private readonly double _average = Math.Max(1, (double)scope.Words / Math.Max(1, scope.Chunks));
        private HashSet<ChunkPlace>? _only;

        public double WeightOf(long chunks) => Math.Log(1 + (Math.Max(0, _chunks - chunks) + 0.5) / (chunks + 0.5));

        public void Add(Occurrences row, double weight)
        {
            if (!_scores.TryGetValue(row.Revision, out var scores))
            {
                if (_only is not null || scope.Find(row.Revision) is not { } document) return;
                _scores.Add(row.Revision, scores = new float[document.Chunks]);
            }
            var postings = new Postings.Reader(row.Data);
            while (postings.Read())
            {
                if (postings.Position >= scores.Length || _only is not null && !_only.Contains(new(row.Revision, postings.Position))) continue;
                scores[postings.Position] += (float)(weight * postings.Count * (K1 + 1) / (postings.Count + K1 * (1 - B + B * postings.Length / _average)));
            }
        }

        /// <summary>From now on only these go on scoring.</summary>
        public void Narrow(List<RankedPlace> best) => _only = [.. best.Select(b => b.Place)];

        public List<RankedPlace> Best(int count)
        {
            var best = new PriorityQueue<ChunkPlace, float>(count + 1);
            var worst = 0f;
            if (_only is not null)
            {
                foreach (var place in _only) Take(place, _scores[place.Revision][place.Position]);
                return Ranking.Of(best);
            }
            foreach (var (revision, scores) in _scores)
            {
                for (var i = 0; i < scores.Length; i++) Take(new(revision, i), scores[i]);
            }
            return Ranking.Of(best);

            void Take(ChunkPlace place, float score)
            {
                if (score <= worst) return;
                if (best.Count < count) best.Enqueue(place, score);
                else best.EnqueueDequeue(place, score);
                if (best.Count == count) best.TryPeek(out _, out worst);
            }
        }
    }
}
