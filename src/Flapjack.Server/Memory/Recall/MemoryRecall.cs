using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Memory.Recall;

/// <summary>Finds memories for a text.</summary>
/// <remarks>
/// 1 The text's words are looked up in an index of words. Rare ones come first, up to <see cref="MostPostings"/> entries in all, so that the work is bounded however many memories there are.
/// 2 Those that share most, weighed by rarity, are candidates. With an embedding model the <see cref="MostVectors"/> memories used last are too.
/// 3 Candidates are scored: by the cosine of the vectors where both have one, else by <see cref="WordScore"/>.
/// </remarks>
internal sealed class MemoryRecall(Databases databases, MemoryEmbedding embedding, IWriter writer, TimeProvider time)
{
    private const int MostWords = 64, MostPostings = 20_000, MostCandidates = 500, MostVectors = 10_000;

    // A memory that every turn recalls is not written down every turn.
    private static readonly TimeSpan UseResolution = TimeSpan.FromMinutes(1);

    /// <summary>The best matches, best first.</summary>
    public async Task<List<RecalledMemory>> FindAsync(RecallRequest request, CancellationToken cancellationToken)
    {
        var vector = request.Vector is { } known ? known.Value : await embedding.TryAsync(request.OrgId, request.Query, cancellationToken);
        await using var db = databases.Open(request.OrgId);
        var memories = db.Memories.AsNoTracking().Where(m => m.AgentId == request.AgentId);
        var total = await memories.CountAsync(cancellationToken);
        if (total == 0) return [];
        if (request.Scopes is { } scopes)
        {
            var ids = scopes.Select(s => s.Id).ToList();
            memories = memories.Where(m => ids.Contains(m.ScopeId));
        }
        if (request.Visible is { } visible) memories = visible(db, memories);

        var score = new WordScore(request.Query, total);
        var sharing = await SharingAsync(db, memories, request.AgentId, score, cancellationToken);
        var cosines = vector is null ? [] : await CosinesAsync(db, memories, sharing, vector, cancellationToken);
        var candidates = cosines.OrderByDescending(pair => pair.Value).Take(MostCandidates).Select(pair => pair.Key).Union(sharing).ToList();
        var rows = await memories.Where(m => candidates.Contains(m.Number)).ToListAsync(cancellationToken);
        var found = rows.Select(m => cosines.TryGetValue(m.Number, out var cosine) ? new RecalledMemory(m, cosine, true) : new RecalledMemory(m, score.Of(m.Content), false))
            .Where(r => r.Score > 0).OrderByDescending(r => r.Score).ThenByDescending(r => r.Memory.Number).Take(request.Limit).ToList();

        if (request.FillsUp && found.Count < request.Limit)
        {
            var taken = found.ConvertAll(r => r.Memory.Number);
            var recent = await memories.Where(m => !taken.Contains(m.Number)).OrderByDescending(m => m.TouchedAt).ThenByDescending(m => m.Number).Take(request.Limit - found.Count).ToListAsync(cancellationToken);
            found.AddRange(recent.Select(m => new RecalledMemory(m, 0, false)));
        }
        return found;
    }

    /// <summary>Notes that memories were used, which keeps them longest.</summary>
    public async Task TouchAsync(IReadOnlyList<RecalledMemory> used, CancellationToken cancellationToken)
    {
        var now = time.Now();
        SqlStatement[] unit = [.. used.Where(r => r.Memory.LastUsedAt is not { } last || now - last >= UseResolution).Select(r => MemorySql.Touch(r.Memory, now))];
        if (unit.Length > 0) await writer.WriteAsync(unit, cancellationToken);
    }

    private static async Task<List<long>> SharingAsync(FlapjackDb db, IQueryable<MemoryEntry> memories, Guid agentId, WordScore score, CancellationToken cancellationToken)
    {
        var words = score.Words.Take(MostWords).ToDictionary(word => MemoryWords.TermOf(agentId, word));
        var terms = words.Keys.ToList();
        var counts = await db.MemoryTerms.Where(t => terms.Contains(t.Term)).GroupBy(t => t.Term).Select(g => new { Term = g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Term, g => g.Count, cancellationToken);
        foreach (var (term, word) in words) score.Weigh(word, counts.GetValueOrDefault(term));

        var (chosen, postings) = (new List<long>(), 0);
        foreach (var (term, count) in counts.OrderBy(pair => pair.Value))
        {
            if (chosen.Count > 0 && postings + count > MostPostings) break;
            chosen.Add(term);
            postings += count;
        }
        if (chosen.Count == 0) return [];
        // The pairs by themselves: joined with the memories, a database may begin with all of those.
        var pairs = await db.MemoryTerms.AsNoTracking().Where(t => chosen.Contains(t.Term)).OrderByDescending(t => t.MemoryNumber).Take(MostPostings).ToListAsync(cancellationToken);
        var shared = new Dictionary<long, double>();
        foreach (var pair in pairs) shared[pair.MemoryNumber] = shared.GetValueOrDefault(pair.MemoryNumber) + score.WeightOf(words[pair.Term]);
        var within = new List<long>();
        // Most of them lie in the scopes asked for, so nearly always the first of these reads is the only one.
        foreach (var some in shared.OrderByDescending(pair => pair.Value).ThenByDescending(pair => pair.Key).Select(pair => pair.Key).Chunk(MostCandidates))
        {
            within.AddRange(await memories.Where(m => some.Contains(m.Number)).Select(m => m.Number).ToListAsync(cancellationToken));
            if (within.Count >= MostCandidates) break;
        }
        return within;
    }

    private async Task<Dictionary<long, double>> CosinesAsync(FlapjackDb db, IQueryable<MemoryEntry> memories, List<long> sharing, byte[] vector, CancellationToken cancellationToken)
    {
        var model = embedding.Model;
        var recent = memories.OrderByDescending(m => m.TouchedAt).Take(MostVectors);
        var cosines = new Dictionary<long, double>();
        foreach (var chosen in (IQueryable<MemoryEntry>[])[recent, memories.Where(m => sharing.Contains(m.Number))])
        {
            // As they come, so that there is one of them in memory at a time.
            await foreach (var row in chosen.Join(db.MemoryVectors.AsNoTracking().Where(v => v.Model == model), m => m.Number, v => v.MemoryNumber, (m, v) => new { m.Number, v.Vector }).AsAsyncEnumerable().WithCancellation(cancellationToken))
            {
                cosines.TryAdd(row.Number, ShortVector.Cosine(vector, row.Vector));
            }
        }
        return cosines;
    }
}

/// <summary>What is looked for.</summary>
/// <param name="OrgId">The organisation.</param>
/// <param name="AgentId">Whose memories.</param>
/// <param name="Scopes">Where; null = everywhere.</param>
/// <param name="Query">The text.</param>
/// <param name="Limit">How many at most.</param>
internal sealed record RecallRequest(Guid OrgId, Guid AgentId, IReadOnlyList<MemoryScope>? Scopes, string Query, int Limit)
{
    /// <summary>When too few match, those used last follow with a score of 0.</summary>
    public bool FillsUp { get; init; }

    /// <summary>The query's vector, when whoever asks has tried to get one already.</summary>
    public KnownVector? Vector { get; init; }

    /// <summary>What else limits the memories that are looked through.</summary>
    public Func<FlapjackDb, IQueryable<MemoryEntry>, IQueryable<MemoryEntry>>? Visible { get; init; }
}

/// <summary>What came of embedding a text; null = words have to do.</summary>
internal sealed record KnownVector(byte[]? Value);

/// <summary>A memory that was found.</summary>
/// <param name="Memory">It.</param>
/// <param name="Score">0 to 1.</param>
/// <param name="IsCosine">The score compares meanings and not words.</param>
internal sealed record RecalledMemory(MemoryEntry Memory, double Score, bool IsCosine);
