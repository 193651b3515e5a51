using System.Collections.Concurrent;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>A scope that is searched, as its row stands now.</summary>
internal sealed record SearchedScope(long Number, string Type, long Version, long Chunks, long Words);

/// <summary>What a node remembers of a scope. Never changes: another version makes another one, which shares what stayed.</summary>
internal sealed record ScopeIndex(long Version, IReadOnlyDictionary<long, SearchedDocument> Documents, IReadOnlyList<SketchSegment> Segments)
{
    public long Bytes { get; } = Segments.Sum(s => (long)s.Data.Length + 100) + Documents.Count * 100L;
}

/// <summary>A document that can be found.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Chunks">How many it has.</param>
internal readonly record struct SearchedDocument(Guid Id, int Chunks);

/// <summary>The sketches of one revision.</summary>
internal sealed record SketchSegment(long Revision, int Dimensions, byte[] Data)
{
    public int Rows => Data.Length / VectorSketch.BytesOf(Dimensions);
}

/// <summary>Keeps what searches need of scopes in memory, within a limit: loaded when first asked, brought up to date when the scope's version has changed, and gone when not asked for longest.</summary>
/// <remarks>A search reads the scope's version anyway, so every node finds what any node has stored, with no message between them.</remarks>
internal sealed class ScopeIndexes(IReader reader, EmbeddingModels models, ServerSettings settings) : IDisposable
{
    private readonly ConcurrentDictionary<long, Entry> _entries = new();
    private long _uses;

    public async ValueTask<ScopeIndex> OfAsync(SearchedScope scope, CancellationToken cancellationToken)
    {
        var entry = _entries.GetOrAdd(scope.Number, static _ => new());
        entry.LastUse = Interlocked.Increment(ref _uses);
        if (entry.Index is { } known && known.Version >= scope.Version) return known;
        await entry.Turn.WaitAsync(cancellationToken);
        try
        {
            if (entry.Index is { } loaded && loaded.Version >= scope.Version) return loaded;
            entry.Index = await LoadAsync(scope, entry.Index, cancellationToken);
            return entry.Index;
        }
        finally
        {
            entry.Turn.Release();
            Trim(entry);
        }
    }

    public void Dispose()
    {
        foreach (var entry in _entries.Values) entry.Turn.Dispose();
    }

    // What is read may be newer than the version read before: then the next search reads once more than it had to.
    private async Task<ScopeIndex> LoadAsync(SearchedScope scope, ScopeIndex? before, CancellationToken cancellationToken)
    {
        var rows = await reader.ReadAllAsync(SearchSql.Documents(scope.Number), static row => (Revision: row.Long(), Document: new SearchedDocument(row.Id(), row.Integer())), cancellationToken);
        var documents = rows.ToDictionary(row => row.Revision, row => row.Document);
        if (models.Model is not { } model) return new(scope.Version, documents, []);
        var segments = before?.Segments.Where(s => documents.ContainsKey(s.Revision)).ToList() ?? [];
        var known = segments.Select(s => s.Revision).ToHashSet();
        foreach (var missing in documents.Keys.Where(r => !known.Contains(r)).Chunk(SearchSql.Revisions))
        {
            segments.AddRange(await reader.ReadAllAsync(SearchSql.Sketches(model, missing), static row => new SketchSegment(row.Long(), row.Integer(), row.Bytes()), cancellationToken));
        }
        return new(scope.Version, documents, segments);
    }

    // One scope may be larger than the limit: it stays while it is asked for, alone.
    private void Trim(Entry asked)
    {
        var total = _entries.Values.Sum(e => e.Index?.Bytes ?? 0);
        if (total <= settings.Knowledge.MemoryBytes && _entries.Count <= 10_000) return;
        foreach (var (number, entry) in _entries.OrderBy(e => e.Value.LastUse))
        {
            if (entry == asked) continue;
            if (total <= settings.Knowledge.MemoryBytes && _entries.Count <= 10_000) return;
            if (_entries.TryRemove(new(number, entry))) total -= entry.Index?.Bytes ?? 0;
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Turn { get; } = new(1, 1);
        public ScopeIndex? Index { get; set; }
        public long LastUse { get; set; }
    }
}
