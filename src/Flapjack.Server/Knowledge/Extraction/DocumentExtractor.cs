using Flapjack.Sandboxes;
using Flapjack.Server.Files;
using Flapjack.Server.Knowledge.Extraction.Formats;
using Flapjack.Server.Knowledge.Extraction.Processes;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>What to read of a document.</summary>
/// <param name="MediaType">From <see cref="DocumentTypes"/>.</param>
/// <param name="Charset">As somebody declared it.</param>
/// <param name="Characters">End after so many; null when the whole is wanted, and one that is too long refused.</param>
internal sealed record ExtractionOrder(string MediaType, string? Charset = null, int? Characters = null);

/// <summary>Reads documents in processes of their own, under limits of memory, time and output.</summary>
internal sealed partial class DocumentExtractor(SandboxHost sandboxes, ServerSettings settings, ILogger<DocumentExtractor> logger) : IDisposable
{
    // A reader may take as much memory as all of the rest, and a large document is in this process too while it is read.
    private const int LargeBytes = 4 * 1024 * 1024;
    private readonly SemaphoreSlim _readers = new(Math.Clamp(Environment.ProcessorCount, 2, 8));
    private readonly SemaphoreSlim _large = new(1);
    private readonly ReaderProcess _processes = new(sandboxes, settings.Sandbox.RequireIsolation ? IsolationNeed.Required : IsolationNeed.WherePossible);

    /// <summary>What a document says. It is told by its content what it is; among texts the name decides, then the declared type.</summary>
    /// <exception cref="ExtractionException">It cannot be read.</exception>
    public async Task<ExtractedDocument> ExtractAsync(ReadOnlyMemory<byte> content, string name, string? declaredType, CancellationToken cancellationToken)
    {
        var type = DocumentTypes.Of(content, name, declaredType);
        var (document, _) = await ExtractAsync(content, new ExtractionOrder(type, CharsetOf(declaredType)), cancellationToken);
        return document;
    }

    /// <summary>The same, when it is known what it is. Pages come with what they link to.</summary>
    /// <exception cref="ExtractionException">It cannot be read.</exception>
    public async Task<(ExtractedDocument Document, ReadDocument? Page)> ExtractAsync(ReadOnlyMemory<byte> content, ExtractionOrder order, CancellationToken cancellationToken)
    {
        var isLarge = content.Length > LargeBytes;
        if (isLarge) await _large.WaitAsync(cancellationToken);
        try
        {
            await _readers.WaitAsync(cancellationToken);
            try
            {
                var (document, page) = await ReadAsync(content, order, cancellationToken);
                return document.Blocks.Count > 0 || page?.Links.Count > 0 ? (document, page) : throw new ExtractionException(ExtractionException.NoText);
            }
            finally
            {
                _readers.Release();
            }
        }
        catch (Exception exception) when (exception is ReaderMissingException or SandboxException)
        {
            LogCannotRead(logger, exception, order.MediaType);
            throw new ExtractionException(ExtractionException.Unsupported);
        }
        finally
        {
            if (isLarge) _large.Release();
        }
    }

    public static string? CharsetOf(string? contentType) => System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(contentType, out var parsed) ? parsed.CharSet : null;

    public void Dispose()
    {
        _readers.Dispose();
        _large.Dispose();
    }

    private async Task<(ExtractedDocument Document, ReadDocument? Page)> ReadAsync(ReadOnlyMemory<byte> content, ExtractionOrder order, CancellationToken cancellationToken)
    {
        var blocks = new List<DocumentBlock>();
        var sink = new BlockSink(blocks.Add, order.Characters ?? BlockSink.MaxCharacters, stopsAtLimit: order.Characters is not null);
        switch (order.MediaType)
        {
            // Dividing a text into lines is no parsing that could go wrong.
            case FileTypes.Text:
                TextBlocks.Read(DocumentEncoding.Decode(content.Span, order.Charset), sink);
                return (new(order.MediaType, null, null, blocks), null);
            case FileTypes.Markdown:
                var heading = MarkdownBlocks.Read(DocumentEncoding.Decode(content.Span, order.Charset), sink);
                return (new(order.MediaType, heading, null, blocks), null);
            case FileTypes.Pdf:
                if (!PdfPages.IsAvailable) throw new ReaderMissingException("pdftotext (poppler-utils) is not installed");
                var (title, pages) = await new PdfPages(_processes).ReadAsync(content, sink, cancellationToken);
                return (new(order.MediaType, title, pages, blocks), null);
            default:
                var read = await ParseAsync(content, order, cancellationToken);
                return (new(order.MediaType, read.Title, null, read.Blocks), order.MediaType == FileTypes.Html ? read : null);
        }
    }

    private async Task<ReadDocument> ParseAsync(ReadOnlyMemory<byte> content, ExtractionOrder order, CancellationToken cancellationToken)
    {
        var arguments = ExtractionCommand.Arguments(order.MediaType, content.Length, order.Characters, order.Charset);
        var run = await _processes.ParseAsync(arguments, content, (process, token) => BlockReader.ReadAsync(process.Output, token), cancellationToken);
        if (run.Result is { } read) return read;
        // A signal, its time, too much output, no memory to say so: it asked for more than it may have. Anything else is no document's doing.
        if (run.Exit.Reason != ProcessEnd.Exited || run.Exit.Code is 0 or > 128) throw new ExtractionException(ExtractionException.TooComplex);
        throw new ReaderMissingException($"the reader ended with {run.Exit.Code}: {run.Error}");
    }

    [LoggerMessage(1, LogLevel.Error, "A document of type {MediaType} cannot be read on this host")]
    private static partial void LogCannotRead(ILogger logger, Exception exception, string mediaType);
}
