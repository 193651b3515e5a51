using System.Security.Cryptography;
using System.Text;
using Flapjack.Runtime.Models;
using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Knowledge.Intake;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Models;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>Does what is to be done with one document: fetch it again, read it, cut it, embed the pieces, note its words, and let the new revision be found in place of the old one.</summary>
/// <remarks>Nothing of a revision is found before it is whole. Whoever takes up broken-off work begins a new revision; the leftovers go with the last step.</remarks>
internal sealed partial class DocumentIndexer(DocumentRows rows, IndexQueue queue, DocumentExtractor extractor, EmbeddingModels models, PageFetch pages, IndexingContext context)
{
    /// <summary>A document that has brought down so many readers may be the reason.</summary>
    private const int MaxAttempts = 3;

    private const int ChunksAtOnce = 64, WordStatements = 25;

    public async Task WorkAsync(Document document, CancellationToken cancellationToken)
    {
        try
        {
            if (await RunAsync(document, cancellationToken)) queue.Done(document.Id);
        }
        catch (WorkLostException)
        {
            LogLost(context.Logger, document.Id);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await queue.ReleaseAsync(document, uncounted: true);
        }
        catch (Exception exception)
        {
            LogBroken(context.Logger, exception, document.Id);
            await queue.ReleaseAsync(document, uncounted: DatabaseFaults.IsOutage(exception));
            if (DatabaseFaults.IsOutage(exception)) throw;
        }
        finally
        {
            queue.End(document);
        }
    }

    private async Task<bool> RunAsync(Document document, CancellationToken cancellationToken)
    {
        try
        {
            if (document.Attempts > MaxAttempts) throw new ExtractionException(ExtractionException.TooComplex);
            var bytes = document.Work == DocumentWork.Fetch ? await FetchAsync(document, cancellationToken) : new(await rows.ContentAsync(document, cancellationToken), document.MediaType, document.DeclaredType);
            if (bytes is not null) await IndexAsync(document, bytes, cancellationToken);
        }
        catch (ExtractionException fault)
        {
            await FailAsync(document, fault.Code);
        }
        catch (ModelException fault)
        {
            LogNotEmbedded(context.Logger, fault, document.Id);
            await FailAsync(document, DocumentErrors.EmbeddingFailed);
        }
        return true;
    }

    private async Task IndexAsync(Document document, BytesToRead bytes, CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var extracted = await extractor.ExtractAsync(bytes.Content, DocumentTypes.NameOf(bytes.MediaType, "document.txt"), bytes.DeclaredType, cancellationToken);
        var settings = context.Settings.Knowledge;
        var chunks = Chunker.Cut(extracted, settings.ChunkTokens, settings.ChunkOverlap);
        if (chunks.Count == 0) throw new ExtractionException(ExtractionException.NoText);
        var title = document.Titled ? document.Title : TitleOf(extracted) ?? document.Title;
        var revision = await rows.BeginAsync(document);
        var (words, model) = await StoreAsync(document, revision, title, chunks, cancellationToken);
        var read = new IndexedDocument(chunks.Count, words, extracted.MediaType, extracted.PageCount, title, model);
        await rows.WriteAsync(document, IndexSql.Publish(document, revision, read, context.Time.Now()));
        LogReady(context.Logger, document.Id, chunks.Count, context.Time.GetElapsedTime(started).TotalSeconds);
        await rows.EraseOlderAsync(document.Id, revision);
    }

    private async Task<(long Words, string? Model)> StoreAsync(Document document, long revision, string title, IReadOnlyList<TextChunk> chunks, CancellationToken cancellationToken)
    {
        var (postings, words) = (new Postings.Builder(), 0L);
        using var sketches = new MemoryStream();
        var dimensions = 0;
        var stored = 0;
        foreach (var batch in chunks.Chunk(ChunksAtOnce))
        {
            var vectors = models.IsConfigured ? await models.EmbedAsync(document.OrgId, [.. batch.Select(c => $"{title}\n{c.Heading}\n{c.Text}")], cancellationToken) : null;
            var unit = new List<SqlStatement>(batch.Length * 2 + 1);
            for (var i = 0; i < batch.Length; i++)
            {
                var chunk = batch[i] with { Text = Storable(batch[i].Text), Heading = batch[i].Heading is { } heading ? Storable(heading) : null };
                words += postings.Add(chunk.Position, WordFolding.WordsOf($"{chunk.Heading}\n{chunk.Text}"));
                unit.Add(IndexSql.Chunk(revision, Ids.New(), chunk));
                if (vectors is null) continue;
                if (dimensions != 0 && dimensions != vectors[i].Length) throw new ModelException(ModelErrors.Error, "The provider answered with vectors of different dimensions.");
                dimensions = vectors[i].Length;
                unit.Add(IndexSql.Vector(revision, chunk.Position, StoredVector.Of(vectors[i])));
                var row = new byte[VectorSketch.BytesOf(dimensions)];
                VectorSketch.Write(vectors[i], row);
                sketches.Write(row);
            }
            unit.Add(IndexSql.Progress(document.Id, stored += batch.Length));
            await rows.WriteAsync(document, unit);
        }
        var all = postings.Words.ToList();
        foreach (var part in all.Chunk(IndexSql.WordsAtOnce * WordStatements)) await rows.WriteAsync(document, WordsOf(document.Scope!.Value, revision, part));
        if (dimensions == 0) return (words, null);
        await rows.WriteAsync(document, [IndexSql.Sketches(revision, models.Model!, dimensions, sketches.ToArray())]);
        return (words, models.Model);
    }

    private static IEnumerable<SqlStatement> WordsOf(long scope, long revision, (string Word, int Hits, byte[] Data)[] words) =>
        words.Chunk(IndexSql.WordsAtOnce).SelectMany(some => some.Length == IndexSql.WordsAtOnce ? [IndexSql.Words(scope, revision, some)] : some.Select(word => IndexSql.Word(scope, revision, word)));

    // Null when there is nothing new to read.
    private async Task<BytesToRead?> FetchAsync(Document document, CancellationToken cancellationToken)
    {
        var now = context.Time.Now();
        var due = PageFetch.DueAt(document.RefreshHours, now);
        try
        {
            var page = await pages.FetchAsync(document.Address!, cancellationToken);
            var hash = Convert.ToHexStringLower(SHA256.HashData(page.Body));
            // Somebody who asks for a new reading gets one, whatever was fetched; so do bytes whose last reading failed.
            if (hash == document.Sha256 && document is { Status: DocumentStatuses.Ready, Error: null or DocumentErrors.FetchFailed } && document.EmbeddingModel == models.Model)
            {
                await rows.WriteAsync(document, IndexSql.Unchanged(document.Id, now, due));
                return null;
            }
            var type = PageFetch.TypeOf(page);
            await rows.WriteAsync(document, IndexSql.Fetched(document.Id, [.. page.Body.Chunk(DocumentPiece.Size)], hash, page.ContentType, type, now, due));
            return new(page.Body, type, page.ContentType);
        }
        catch (OutboundException exception)
        {
            LogNotFetched(context.Logger, exception, document.Id);
            await rows.WriteAsync(document, IndexSql.NotFetched(document.Id, due, now));
            return null;
        }
    }

    private async Task FailAsync(Document document, string code)
    {
        LogUnreadable(context.Logger, document.Id, code);
        // Before the work is given up: whoever has it next begins a revision of its own.
        await rows.EraseFailedAsync(document);
        await rows.WriteAsync(document, IndexSql.Fail(document.Id, code, context.Time.Now()));
    }

    /// <param name="Content">The bytes.</param>
    /// <param name="MediaType">What they were taken for when they came; among texts it decides.</param>
    /// <param name="DeclaredType">The <c>Content-Type</c> they came with, for its character set.</param>
    private sealed record BytesToRead(byte[] Content, string? MediaType, string? DeclaredType);

    private static string? TitleOf(ExtractedDocument extracted) => extracted.Title?.ReplaceLineEndings(" ").Trim() is { Length: > 0 } title ? Storable(title.Length <= Document.MaxTitle ? title : title[..Document.MaxTitle]) : null;

    // PostgreSQL takes neither U+0000 nor halves of characters.
    private static string Storable(string text)
    {
        var clean = text.Contains('\0', StringComparison.Ordinal) ? text.Replace('\0', ' ') : text;
        return clean.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? clean : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(clean));
    }

    [LoggerMessage(1, LogLevel.Information, "Document {Document} is ready: {Chunks} chunks in {Seconds:0.0} s")]
    private static partial void LogReady(ILogger logger, Guid document, int chunks, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Document {Document} cannot be read: {Code}")]
    private static partial void LogUnreadable(ILogger logger, Guid document, string code);

    [LoggerMessage(3, LogLevel.Warning, "Document {Document} could not be embedded")]
    private static partial void LogNotEmbedded(ILogger logger, Exception exception, Guid document);

    [LoggerMessage(4, LogLevel.Warning, "Document {Document} could not be fetched")]
    private static partial void LogNotFetched(ILogger logger, Exception exception, Guid document);

    [LoggerMessage(5, LogLevel.Information, "Document {Document} is gone, or another node has its work")]
    private static partial void LogLost(ILogger logger, Guid document);

    [LoggerMessage(6, LogLevel.Error, "Reading document {Document} failed; it is tried again")]
    private static partial void LogBroken(ILogger logger, Exception exception, Guid document);
}

/// <summary>What the indexer needs besides its collaborators.</summary>
internal sealed record IndexingContext(ServerSettings Settings, TimeProvider Time, ILogger<DocumentIndexer> Logger);
