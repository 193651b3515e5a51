namespace Flapjack.Server.Knowledge.Search;

/// <summary>Orders of chunks.</summary>
internal static class Ranking
{
    private const double K = 60;

    /// <summary>What a queue of the best holds, best first.</summary>
    public static List<RankedPlace> Of(PriorityQueue<ChunkPlace, float> best)
    {
        var ranked = new List<RankedPlace>(best.Count);
        while (best.TryDequeue(out var place, out var score)) ranked.Add(new(place, score));
        // Of equals the newer document's first chunk: any order will do, as long as it is the same on every node.
        ranked.Sort(static (one, other) => one.Score != other.Score ? other.Score.CompareTo(one.Score)
            : one.Place.Revision != other.Place.Revision ? other.Place.Revision.CompareTo(one.Place.Revision) : one.Place.Position.CompareTo(other.Place.Position));
        return ranked;
    }

    /// <summary>Reciprocal rank fusion.</summary>
    public static List<RankedPlace> Fuse(List<RankedPlace> one, List<RankedPlace> other)
    {
        var scores = new Dictionary<ChunkPlace, double>();
        foreach (var list in (List<RankedPlace>[])[one, other])
        {
            for (var i = 0; i < list.Count; i++) scores[list[i].Place] = scores.GetValueOrDefault(list[i].Place) + 1 / (K + i + 1);
        }
        return [.. scores.Select(pair => new RankedPlace(pair.Key, pair.Value)).OrderByDescending(r => r.Score).ThenByDescending(r => r.Place.Revision).ThenBy(r => r.Place.Position)];
    }
}
