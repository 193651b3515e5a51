using System.Text.Json;
using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Models;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Knowledge.Bench;

/// <summary>Whether searches find what was asked for: questions written for the pages of docs/, each with the sentence that answers it. A chunk is right when it holds that sentence.</summary>
internal static class QualityBench
{
    public static async Task RunAsync(string data, string model)
    {
        var root = Root();
        var questions = JsonSerializer.Deserialize<List<Asked>>(await File.ReadAllTextAsync(Path.Combine(root, "bench/knowledge/questions.json")), JsonSerializerOptions.Web)!;
        var docs = Path.Combine(root, "docs");
        List<(string, string)> provider = [];
        if (Environment.GetEnvironmentVariable("OPENAI_API_KEY") is { } key) provider.Add(("OPENAI_API_KEY", key));
        await using var store = await BenchStore.OpenAsync(data, "quality", model, [.. provider]);
        var models = store.Services.GetRequiredService<EmbeddingModels>();
        var (scopeId, scope) = await store.AddScopeAsync();
        var count = 0;
        foreach (var file in Directory.GetFiles(docs, "*.md", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var page = Path.GetRelativePath(docs, file);
            var text = await File.ReadAllTextAsync(file);
            foreach (var asked in questions.Where(q => q.Page == page && !text.Contains(q.Answer, StringComparison.Ordinal))) throw new InvalidDataException($"{page} does not say '{asked.Answer}' any more");
            // Small pieces, so that finding the right page is not enough.
            var chunks = Chunker.Cut(new("text/markdown", page, null, BlocksOf(text)), 150, 0);
            count += chunks.Count;
            await store.AddAsync(scopeId, scope, page, chunks, await models.EmbedAsync(BenchStore.Org, [.. chunks.Select(c => $"{page}\n{c.Heading}\n{c.Text}")], default), model);
        }
        Console.WriteLine($"{questions.Count} questions, {count:N0} chunks of docs/, vectors of {model}");
        var search = store.Services.GetRequiredService<KnowledgeSearch>();
        foreach (var mode in (string[])[SearchModes.Lexical, SearchModes.Vector, SearchModes.Hybrid])
        {
            var (first, five, reciprocal) = (0, 0, 0.0);
            foreach (var asked in questions)
            {
                var answer = await search.FindAsync(new(BenchStore.Org, [scopeId], asked.Question) { Mode = mode, Limit = 10 }, default);
                var rank = answer.Chunks.ToList().FindIndex(c => c.Title == asked.Page && Flat(c.Text).Contains(Flat(asked.Answer), StringComparison.Ordinal)) + 1;
                (first, five, reciprocal) = (first + (rank == 1 ? 1 : 0), five + (rank is > 0 and <= 5 ? 1 : 0), reciprocal + (rank > 0 ? 1.0 / rank : 0));
            }
            Show.Line(mode, $"first {(double)first / questions.Count:0.00}   among five {(double)five / questions.Count:0.00}   mean reciprocal rank {reciprocal / questions.Count:0.00}");
        }
    }

    private static List<DocumentBlock> BlocksOf(string text) =>
        [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part => part[0] == '#' ? new DocumentBlock(BlockKind.Heading, part.TrimStart('#', ' '), part.TakeWhile(c => c == '#').Count()) : new DocumentBlock(BlockKind.Paragraph, part))];

    private static string Flat(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Root()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Flapjack.slnx"))) return directory.FullName;
        }
        throw new DirectoryNotFoundException("run this from a checkout");
    }

    private sealed record Asked(string Page, string Answer, string Question);
}
