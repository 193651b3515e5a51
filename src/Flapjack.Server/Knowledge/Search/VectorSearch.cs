using System.Buffers;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>Finds the chunks whose vectors point most nearly where the question's does.</summary>
/// <remarks>1 every sketch in memory is held against the question, 2 the vectors of those that seem best are read from the database and compared exactly. The first grows with the number of chunks, the second does not.</remarks>
internal sealed class VectorSearch(IReader reader)
{
    private const int Compared = 256, Block = 1_024;

    public async Task<List<RankedPlace>> FindAsync(SearchScope scope, float[] question, int count, CancellationToken cancellationToken)
    {
        // 1
        var likely = Likely(scope, question, Math.Max(Compared, count * 4));
        // 2
        var best = new PriorityQueue<ChunkPlace, float>();
        var room = new float[question.Length];
        foreach (var places in likely.Chunk(SearchSql.Places))
        {
            foreach (var (place, data) in await reader.ReadAllAsync(SearchSql.Vectors(places), static row => (new ChunkPlace(row.Long(), row.Integer()), row.Bytes()), cancellationToken))
            {
                var cosine = StoredVector.Cosine(data, question, room);
                if (cosine <= 0) continue;
                if (best.Count < count) best.Enqueue(place, cosine);
                else best.EnqueueDequeue(place, cosine);
            }
        }
        return Ranking.Of(best);
    }

    private static List<ChunkPlace> Likely(SearchScope scope, float[] question, int count)
    {
        var query = new VectorSketch.Query(question);
        var best = new PriorityQueue<ChunkPlace, float>(count + 1);
        var cosines = ArrayPool<float>.Shared.Rent(Block);
        var worst = float.MinValue;
        foreach (var segment in scope.Indexes.SelectMany(i => i.Segments))
        {
            // Another model of the same name.
            if (segment.Dimensions != question.Length || scope.Allowed is not null && !scope.Allowed.Contains(segment.Revision)) continue;
            for (var start = 0; start < segment.Rows; start += Block)
            {
                var rows = cosines.AsSpan(0, Math.Min(Block, segment.Rows - start));
                query.Estimate(segment.Data.AsSpan(start * query.RowBytes, rows.Length * query.RowBytes), rows);
                for (var i = 0; i < rows.Length; i++)
                {
                    if (rows[i] <= worst) continue;
                    if (best.Count < count) best.Enqueue(new(segment.Revision, start + i), rows[i]);
                    else best.EnqueueDequeue(new(segment.Revision, start + i), rows[i]);
                    if (best.Count == count) best.TryPeek(out _, out worst);
                }
            }
        }
        ArrayPool<float>.Shared.Return(cosines);
        // In the order of the table.
        return [.. best.UnorderedItems.Select(item => item.Element).OrderBy(p => p.Revision).ThenBy(p => p.Position)];
    }
}
