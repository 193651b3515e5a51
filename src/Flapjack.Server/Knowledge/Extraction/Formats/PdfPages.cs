using System.Globalization;
using System.Text;
using Flapjack.Sandboxes;
using Flapjack.Server.Knowledge.Extraction.Processes;

namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>A PDF, read by poppler's programs: <c>pdfinfo</c> tells title and pages, <c>pdftotext</c> the text, with a form feed behind each page.</summary>
internal sealed class PdfPages(ReaderProcess processes)
{
    private const int MaxPages = 5_000;

    // Of a page, which is then cut. A page of a book has three thousand.
    private const int MaxPage = 2_000_000;

    public static bool IsAvailable => SandboxHost.Find("pdftotext") is not null && SandboxHost.Find("pdfinfo") is not null;

    /// <summary>Adds the blocks; answers the title and the number of pages.</summary>
    public async Task<(string? Title, int Pages)> ReadAsync(ReadOnlyMemory<byte> content, BlockSink sink, CancellationToken cancellationToken)
    {
        var about = await processes.RunAsync("pdfinfo", ["-enc", "UTF-8", "-"], content, async (process, token) =>
        {
            using var reader = new StreamReader(process.Output, Encoding.UTF8, leaveOpen: true);
            return await reader.ReadToEndAsync(token);
        }, cancellationToken);
        Check(about);
        var lines = about.Result.Split('\n');
        if (!int.TryParse(Value(lines, "Pages:"), NumberStyles.None, CultureInfo.InvariantCulture, out var pages)) throw new ExtractionException(ExtractionException.Corrupt);
        if (pages > MaxPages) throw new ExtractionException(ExtractionException.TooComplex);
        var text = await processes.RunAsync("pdftotext", ["-enc", "UTF-8", "-eol", "unix", "-l", $"{MaxPages}", "-", "-"], content, (process, token) => PagesAsync(process, sink, token), cancellationToken);
        if (!sink.IsFull) Check(text);
        return (Value(lines, "Title:"), pages);
    }

    private static async Task<int> PagesAsync(SandboxedProcess process, BlockSink sink, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(process.Output, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 32 * 1024, leaveOpen: true);
        var (buffer, page, number) = (new char[32 * 1024], new StringBuilder(), 1);
        for (var read = await reader.ReadAsync(buffer, cancellationToken); read > 0; read = await reader.ReadAsync(buffer, cancellationToken))
        {
            var rest = buffer.AsMemory(0, read);
            for (var end = rest.Span.IndexOf('\f'); end >= 0; end = rest.Span.IndexOf('\f'))
            {
                page.Append(rest[..end]);
                TextBlocks.Read(page.ToString(), sink, number++);
                page.Clear();
                rest = rest[(end + 1)..];
            }
            page.Append(rest);
            if (page.Length > MaxPage)
            {
                TextBlocks.Read(page.ToString(), sink, number);
                page.Clear();
            }
            if (!sink.IsFull) continue;
            // Nobody wants what is still to come.
            process.Kill();
            return number;
        }
        TextBlocks.Read(page.ToString(), sink, number);
        return number;
    }

    private static void Check<T>(ReaderRun<T> run)
    {
        if (run.Error.Contains("Incorrect password", StringComparison.Ordinal)) throw new ExtractionException(ExtractionException.Encrypted);
        // A signal, its time, too much output: it asked for more than it may have.
        if (run.Exit.Reason != ProcessEnd.Exited || run.Exit.Code > 128) throw new ExtractionException(ExtractionException.TooComplex);
        if (run.Error.Contains("Out of memory", StringComparison.OrdinalIgnoreCase)) throw new ExtractionException(ExtractionException.TooComplex);
        if (run.Exit.Code is 126 or 127) throw new ReaderMissingException(run.Error);
        if (run.Exit.Code != 0) throw new ExtractionException(ExtractionException.Corrupt);
    }

    private static string? Value(string[] lines, string name) => Array.Find(lines, line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim() is { Length: > 0 } value ? value : null;
}
