namespace Flapjack.Server.Knowledge.Search;

/// <summary>What one search looks through.</summary>
/// <param name="Scopes">The scopes' rows.</param>
/// <param name="Indexes">What is remembered of each, in the same order.</param>
/// <param name="Allowed">Revisions that meet the filter; null = no filter.</param>
internal sealed record SearchScope(IReadOnlyList<SearchedScope> Scopes, IReadOnlyList<ScopeIndex> Indexes, IReadOnlySet<long>? Allowed)
{
    public long Chunks => Scopes.Sum(s => s.Chunks);

    public long Words => Scopes.Sum(s => s.Words);

    public IEnumerable<long> Numbers => Scopes.Select(s => s.Number);

    /// <summary>The document of a revision; null when it is not to be found.</summary>
    public SearchedDocument? Find(long revision)
    {
        if (Allowed is not null && !Allowed.Contains(revision)) return null;
        foreach (var index in Indexes)
        {
            if (index.Documents.TryGetValue(revision, out var document)) return document;
        }
        return null;
    }
}

/// <summary>A chunk and how well it fits.</summary>
internal readonly record struct RankedPlace(ChunkPlace Place, double Score);
