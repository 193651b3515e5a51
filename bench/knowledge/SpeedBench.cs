using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text;
using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Knowledge.Bench;

/// <summary>How long searches take, how much memory vectors take, and how many of the true nearest are found. Everything runs on whatever cores the process is given: bind it to one.</summary>
internal static class SpeedBench
{
    private const int Dimensions = 1_536, ChunksOfDocument = 50, Questions = 60, Vocabulary = 30_000, WordsOfChunk = 150;

    public static async Task RunAsync(string data, int size, bool clustered)
    {
        Console.WriteLine($"{size:N0} chunks of {Dimensions:N0} dimensions, {(clustered ? "in 500 clusters" : "vectors all random, the hardest case")}");
        var random = new Random(size);
        await using var store = await BenchStore.OpenAsync(data, $"speed-{size}-{clustered}", "flapjack-offline/words");
        var (scopeId, scope) = await store.AddScopeAsync();
        var centres = Enumerable.Range(0, 500).Select(_ => Unit(random)).ToArray();
        var words = new WordSource(random);
        var all = new float[size][];
        for (var at = 0; at < size; at += ChunksOfDocument)
        {
            var count = Math.Min(ChunksOfDocument, size - at);
            for (var i = 0; i < count; i++) all[at + i] = clustered ? Near(random, centres[random.Next(centres.Length)], 0.9f) : Unit(random);
            var chunks = Enumerable.Range(0, count).Select(i => new TextChunk(i, words.Text(WordsOfChunk), WordsOfChunk, null, null)).ToList();
            await store.AddAsync(scopeId, scope, $"document {at}", chunks, all[at..(at + count)], "flapjack-offline/words");
        }
        var reader = store.Reader;
        var scopes = await reader.ReadAllAsync(SearchSql.FindScopes(BenchStore.Org, [scopeId]), static row => new SearchedScope(row.Long(), row.Text(), row.Long(), row.Long(), row.Long()), default);
        var indexes = new ScopeIndexes(reader, store.Services.GetRequiredService<EmbeddingModels>(), store.Services.GetRequiredService<ServerSettings>());
        var before = Memory();
        var clock = Stopwatch.StartNew();
        var index = await indexes.OfAsync(scopes[0], default);
        Show.Line("loading the scope", $"{clock.Elapsed.TotalMilliseconds:N0} ms");
        Show.Line("memory per chunk, target 400 bytes", $"{(Memory() - before) / (double)size:N0} bytes");
        var target = new SearchScope(scopes, [index], null);
        // The number of a document's revision tells its place, since they were stored one after the other.
        var first = index.Documents.Keys.Min();

        var vectors = new VectorSearch(reader);
        var (times, found, busy) = (new List<double>(), 0, TimeSpan.Zero);
        for (var i = 0; i < Questions + 10; i++)
        {
            var question = clustered ? Near(random, centres[random.Next(centres.Length)], 0.9f) : Unit(random);
            var begun = Environment.CpuUsage.TotalTime;
            clock.Restart();
            var best = await vectors.FindAsync(target, question, 10, default);
            if (i < 10) continue;
            busy += Environment.CpuUsage.TotalTime - begun;
            times.Add(clock.Elapsed.TotalMilliseconds);
            var exact = Exact(all, question);
            found += best.Count(b => exact.Contains((int)(b.Place.Revision - first) * ChunksOfDocument + b.Place.Position));
        }
        Show.Line("vector search, median, target 20 ms at 100,000", $"{Show.Median(times):N1} ms");
        Show.Line("processor time, mean", $"{busy.TotalMilliseconds / Questions:N1} ms");
        Show.Line("slowest of twenty", $"{times[^(times.Count / 20)]:N1} ms");
        Show.Line("recall@10 against exact, target 0.98", $"{found / (10.0 * Questions):0.000}");
        if (clustered) return;

        var lexical = new LexicalSearch(reader);
        times.Clear();
        for (var i = 0; i < Questions + 10; i++)
        {
            // As people ask: some words that every text has, and some that few have.
            var question = words.Text(8);
            clock.Restart();
            await lexical.FindAsync(target, question, 50, default);
            if (i >= 10) times.Add(clock.Elapsed.TotalMilliseconds);
        }
        Show.Line("lexical search, median, target 15 ms at 100,000", $"{Show.Median(times):N1} ms");
        Show.Line("slowest of twenty", $"{times[^(times.Count / 20)]:N1} ms");
    }

    /// <summary>The server's own way of a document: stored as it comes, queued, taken, cut, its words noted; no embeddings. Markdown needs no process of its own to be read.</summary>
    public static async Task IngestAsync(string data)
    {
        var words = new WordSource(new Random(5));
        var text = new StringBuilder();
        while (text.Length < 5_000_000) text.Append("# ").Append(words.Text(4)).Append("\n\n").Append(words.Text(120)).Append(".\n\n").Append(words.Text(200)).Append(".\n\n");
        await using var store = await BenchStore.OpenAsync(data, "ingest", null);
        using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
        var clock = Stopwatch.StartNew();
        var chunks = await store.TakeInAsync(bytes, "large.md");
        Console.WriteLine($"one text of {text.Length / 1e6:N1} MB, {chunks:N0} chunks");
        Show.Line("from the bytes to ready, target 5 MB a minute", $"{text.Length / 1e6 / clock.Elapsed.TotalMinutes:N0} MB a minute");
    }

    private static HashSet<int> Exact(float[][] all, float[] question) =>
        [.. all.Select((vector, i) => (Score: TensorPrimitives.Dot<float>(vector, question), i)).OrderByDescending(p => p.Score).Take(10).Select(p => p.i)];

    private static long Memory()
    {
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static float[] Near(Random random, float[] centre, float share)
    {
        var vector = Unit(random);
        TensorPrimitives.MultiplyAdd(centre, share, vector, vector);
        return Normal(vector);
    }

    private static float[] Unit(Random random)
    {
        var vector = new float[Dimensions];
        for (var i = 0; i < vector.Length; i++) vector[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return Normal(vector);
    }

    private static float[] Normal(float[] vector)
    {
        TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
        return vector;
    }

    /// <summary>Words as frequent as those of real texts: the second half as often as the first, the third a third as often.</summary>
    private sealed class WordSource(Random random)
    {
        private readonly string[] _words = [.. Enumerable.Range(0, Vocabulary).Select(i => $"w{Convert.ToHexStringLower(BitConverter.GetBytes(i * 2654435761u))[..6]}")];

        public string Text(int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => _words[(int)(Math.Pow(Vocabulary, random.NextDouble()) - 1)]));
    }
}
