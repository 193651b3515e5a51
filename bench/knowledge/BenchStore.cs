using System.Globalization;
using Flapjack.Server.Knowledge;
using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Knowledge.Intake;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Models;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flapjack.Knowledge.Bench;

/// <summary>The server's own services on a database of their own, without HTTP.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
    public static readonly Guid Org = Guid.CreateVersion7();
    private readonly WebApplication _app;

    private BenchStore(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public IWriter Writer => Services.GetRequiredService<IWriter>();

    public IReader Reader => Services.GetRequiredService<IReader>();

    public static async Task<BenchStore> OpenAsync(string directory, string name, string? model, params (string Key, string Value)[] more)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var settings = new Dictionary<string, string?> { ["DataDirectory"] = Path.Combine(directory, name), ["Knowledge:EmbeddingModel"] = model, ["Knowledge:MemoryMegabytes"] = "1024" };
        if (Environment.GetEnvironmentVariable("FLAPJACK_BENCH_POSTGRES") is { Length: > 0 } postgres) settings["ConnectionStrings:Flapjack"] = postgres;
        foreach (var (key, value) in more) settings[key] = value;
        builder.Configuration.AddInMemoryCollection(settings);
        var read = ServerSettings.Read(builder.Configuration);
        builder.AddPlatform(read);
        builder.Services.AddStorage(read);
        builder.Services.AddModels();
        Flapjack.Server.Agents.AgentsFeature.AddAgents(builder.Services);
        Flapjack.Server.Files.FilesFeature.AddFiles(builder.Services);
        KnowledgeFeature.AddKnowledge(builder.Services);
        var app = builder.Build();
        await SchemaMigration.MigrateAsync(app.Services, default);
        return new(app);
    }

    /// <summary>A scope of the organisation's.</summary>
    public async Task<(Guid Id, long Number)> AddScopeAsync()
    {
        var id = Guid.CreateVersion7();
        await Writer.WriteAsync([DocumentSql.EnsureScope(Org, ScopeTypes.Agent, id)]);
        return (id, (await Reader.ReadAllAsync(DocumentSql.FindScope(Org, id), static row => row.Long(), default))[0]);
    }

    /// <summary>Takes a document in and reads it, with the server's intake and indexer. Its chunks.</summary>
    public async Task<int> TakeInAsync(Stream content, string name)
    {
        var intake = Services.GetRequiredService<DocumentIntake>();
        var received = await intake.ReceiveAsync(Org, content, name, null, "file", default);
        await intake.AddAsync(received, new(new(ScopeTypes.Org, Org), name, Titled: true, name, "{}"), waits: false, default);
        var taken = await Services.GetRequiredService<IndexQueue>().TakeAsync(default) ?? throw new InvalidOperationException("the document is not queued");
        await Services.GetRequiredService<DocumentIndexer>().WorkAsync(taken, default);
        await using var db = Services.GetRequiredService<Databases>().Open(Org);
        var read = await db.Documents.AsNoTracking().SingleAsync(d => d.Id == received.Id);
        return read.Status == DocumentStatuses.Ready ? read.ChunkCount : throw new InvalidOperationException($"the document is {read.Status}: {read.Error}");
    }

    /// <summary>Stores a document whose chunks and vectors are given, so that searches can be measured without a model.</summary>
    public async Task AddAsync(Guid scopeId, long scope, string title, IReadOnlyList<TextChunk> chunks, IReadOnlyList<float[]> vectors, string model)
    {
        var now = TimeProvider.System.Now();
        var document = new Document
        {
            Id = Guid.CreateVersion7(), OrgId = Org, Scope = scope, ScopeType = ScopeTypes.Agent, ScopeId = scopeId, Title = title, Titled = true, SourceRef = title, SizeBytes = 1, Metadata = "{}",
            Status = DocumentStatuses.Processing, ChunkCount = 0, Claim = 0, Attempts = 0, CreatedAt = now, UpdatedAt = now,
        };
        await using (var db = Services.GetRequiredService<Databases>().Open(Org))
        {
            db.Documents.Add(document);
            await db.SaveChangesAsync();
        }
        var revision = (await Writer.WriteAsync([IndexSql.Begin(document.Id)])).Returned!.Value;
        var postings = new Postings.Builder();
        var words = 0L;
        foreach (var some in chunks.Chunk(64))
        {
            foreach (var chunk in some) words += postings.Add(chunk.Position, WordFolding.WordsOf($"{chunk.Heading}\n{chunk.Text}"));
            await Writer.WriteAsync([.. some.Select(c => IndexSql.Chunk(revision, Guid.CreateVersion7(), c)), .. some.Select(c => IndexSql.Vector(revision, c.Position, StoredVector.Of(vectors[c.Position])))]);
        }
        foreach (var part in postings.Words.Chunk(IndexSql.WordsAtOnce * 25))
        {
            await Writer.WriteAsync([.. part.Chunk(IndexSql.WordsAtOnce).SelectMany(some => some.Length == IndexSql.WordsAtOnce ? [IndexSql.Words(scope, revision, some)] : some.Select(w => IndexSql.Word(scope, revision, w)))]);
        }
        var bytes = VectorSketch.BytesOf(vectors[0].Length);
        var sketches = new byte[bytes * vectors.Count];
        for (var i = 0; i < vectors.Count; i++) VectorSketch.Write(vectors[i], sketches.AsSpan(i * bytes));
        await Writer.WriteAsync([IndexSql.Sketches(revision, model, vectors[0].Length, sketches)]);
        await Writer.WriteAsync(IndexSql.Publish(document, revision, new(chunks.Count, words, "text/plain", null, null, model), now));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

internal static class Show
{
    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    public static void Line(string what, FormattableString value) => Console.WriteLine($"  {what,-46} {value.ToString(CultureInfo.InvariantCulture)}");
}
