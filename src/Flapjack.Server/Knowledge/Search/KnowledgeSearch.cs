using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Models;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>How to search.</summary>
internal static class SearchModes
{
    public const string Auto = "auto", Lexical = "lexical", Vector = "vector", Hybrid = "hybrid";

    public static bool NeedsVectors(string mode) => mode is Vector or Hybrid;
}

/// <summary>A search.</summary>
/// <param name="OrgId">Whose documents.</param>
/// <param name="ScopeIds">Organisation, agent, thread: at most four.</param>
/// <param name="Query">The question.</param>
internal sealed record KnowledgeQuery(Guid OrgId, IReadOnlyList<Guid> ScopeIds, string Query)
{
    public int Limit { get; init; } = 6;
    public string Mode { get; init; } = SearchModes.Auto;
    public double MinScore { get; init; }

    /// <summary>Equality with top-level keys of documents' metadata.</summary>
    public JsonElement? Filter { get; init; }

    /// <summary>Takes spans of the search.</summary>
    public Action<TurnSpan>? Trace { get; init; }

    public Guid? ParentSpan { get; init; }
}

/// <summary>A chunk that was found.</summary>
internal sealed record FoundChunk(
    Guid DocumentId, Guid ChunkId, string Title, string SourceRef, string ScopeType, int Position, string? Heading, int? Page, double Score, string Text, int Tokens);

/// <summary>What was found, best first.</summary>
/// <param name="Mode">How it was searched in the end.</param>
/// <param name="Chunks">The chunks.</param>
/// <param name="HadDocuments">Whether there was anything to search.</param>
internal sealed record KnowledgeAnswer(string Mode, IReadOnlyList<FoundChunk> Chunks, bool HadDocuments = true);

/// <summary>Searches documents by words, by vectors or by both. When the question cannot be embedded, words have to do.</summary>
internal sealed partial class KnowledgeSearch(IReader reader, ScopeIndexes indexes, EmbeddingModels models, TimeProvider time, ILogger<KnowledgeSearch> logger)
{
    /// <summary>How many of each kind are fused.</summary>
    private const int Fused = 50;

    private readonly LexicalSearch _lexical = new(reader);
    private readonly VectorSearch _vectors = new(reader);

    public async Task<KnowledgeAnswer> FindAsync(KnowledgeQuery query, CancellationToken cancellationToken)
    {
        var mode = query.Mode != SearchModes.Auto ? query.Mode : models.IsConfigured ? SearchModes.Hybrid : SearchModes.Lexical;
        var scope = await ScopeAsync(query, cancellationToken);
        if (scope.Scopes.Count == 0) return new(mode, [], HadDocuments: false);
        var question = SearchModes.NeedsVectors(mode) && models.IsConfigured ? await EmbedAsync(query, cancellationToken) : null;
        if (question is null) mode = SearchModes.Lexical;
        var count = Math.Max(query.Limit, Fused);
        var ranked = mode switch
        {
            SearchModes.Vector => await _vectors.FindAsync(scope, question!, count, cancellationToken),
            SearchModes.Lexical => await _lexical.FindAsync(scope, query.Query, count, cancellationToken),
            _ => Ranking.Fuse(await _lexical.FindAsync(scope, query.Query, Fused, cancellationToken), await _vectors.FindAsync(scope, question!, Fused, cancellationToken)),
        };
        return new(mode, await ShowAsync(query, ranked, cancellationToken));
    }

    private async Task<SearchScope> ScopeAsync(KnowledgeQuery query, CancellationToken cancellationToken)
    {
        var scopes = await reader.ReadAllAsync(SearchSql.FindScopes(query.OrgId, query.ScopeIds), static row => new SearchedScope(row.Long(), row.Text(), row.Long(), row.Long(), row.Long()), cancellationToken);
        var known = new List<ScopeIndex>(scopes.Count);
        foreach (var scope in scopes) known.Add(await indexes.OfAsync(scope, cancellationToken));
        return new(scopes, known, query.Filter is { } filter ? await AllowedAsync(scopes, filter, cancellationToken) : null);
    }

    private async Task<IReadOnlySet<long>> AllowedAsync(List<SearchedScope> scopes, JsonElement filter, CancellationToken cancellationToken)
    {
        var allowed = new HashSet<long>();
        foreach (var scope in scopes)
        {
            // Judged row by row: ten thousand documents may have 160 MB of metadata.
            foreach (var (revision, fits) in await reader.ReadAllAsync(SearchSql.Metadata(scope.Number), row => (row.Long(), Fits(row.Text(), filter)), cancellationToken))
            {
                if (fits) allowed.Add(revision);
            }
        }
        return allowed;
    }

    private static bool Fits(string metadata, JsonElement filter)
    {
        using var document = JsonDocument.Parse(metadata);
        return filter.EnumerateObject().All(wanted => document.RootElement.TryGetProperty(wanted.Name, out var value) && JsonElement.DeepEquals(value, wanted.Value));
    }

    // Null when it failed.
    private async Task<float[]?> EmbedAsync(KnowledgeQuery query, CancellationToken cancellationToken)
    {
        var span = new TurnSpan { Id = Ids.New(), ParentId = query.ParentSpan, Kind = "embedding", Name = models.Model!, StartedAt = time.Now(), Input = JsonSerializer.SerializeToElement(new { text = query.Query }) };
        try
        {
            var answer = await models.EmbedCountedAsync(query.OrgId, [query.Query], cancellationToken);
            span.Output = JsonSerializer.SerializeToElement(new { dimensions = answer.Vectors[0].Length, tokens = answer.Tokens });
            return answer.Vectors[0];
        }
        catch (ModelException fault)
        {
            LogNotEmbedded(logger, fault, query.OrgId);
            span.Error = fault.Code;
            return null;
        }
        finally
        {
            span.EndedAt = time.Now();
            query.Trace?.Invoke(span);
        }
    }

    private async Task<IReadOnlyList<FoundChunk>> ShowAsync(KnowledgeQuery query, List<RankedPlace> ranked, CancellationToken cancellationToken)
    {
        if (ranked.Count == 0) return [];
        var best = ranked[0].Score;
        var shown = new List<FoundChunk>(query.Limit);
        foreach (var places in ranked.Where(r => r.Score / best >= query.MinScore).Chunk(SearchSql.Places))
        {
            var scores = places.ToDictionary(p => p.Place, p => p.Score / best);
            var rows = await reader.ReadAllAsync(SearchSql.Chunks(query.OrgId, places.Select(p => p.Place)), Read, cancellationToken);
            shown.AddRange(rows.Select(row => row.Chunk with { Score = scores[row.Place] }));
            // A document that went meanwhile leaves a gap, which the next ones fill.
            if (shown.Count >= query.Limit) break;
        }
        return [.. shown.OrderByDescending(c => c.Score).ThenBy(c => Nearness(c.ScopeType)).ThenBy(c => c.DocumentId).ThenBy(c => c.Position).Take(query.Limit)];
    }

    private static int Nearness(string scope) => scope switch { ScopeTypes.Thread => 0, ScopeTypes.Agent => 1, _ => 2 };

    private static (ChunkPlace Place, FoundChunk Chunk) Read(SqlRow row)
    {
        var place = new ChunkPlace(row.Long(), row.Integer());
        var (id, text, tokens, heading, page) = (row.Id(), row.Text(), row.Integer(), row.TextOrNull(), row.IntegerOrNull());
        return (place, new(row.Id(), id, row.Text(), row.Text(), row.Text(), place.Position, heading, page, 0, text, tokens));
    }

    [LoggerMessage(1, LogLevel.Warning, "A question of organisation {OrgId} could not be embedded; it is searched by words")]
    private static partial void LogNotEmbedded(ILogger logger, Exception exception, Guid orgId);
}
