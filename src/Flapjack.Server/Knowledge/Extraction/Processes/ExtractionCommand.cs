using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using Flapjack.Server.Files;
using Flapjack.Server.Knowledge.Extraction.Formats;

namespace Flapjack.Server.Knowledge.Extraction.Processes;

/// <summary>The process that reads one document: this same program, started with <c>--extract</c> by <see cref="ReaderProcess"/>. It reads the document from its input, writes blocks to its output and knows nothing else of the server.</summary>
internal static class ExtractionCommand
{
    public const string Name = "--extract";

    public static bool IsMeant(string[] args) => args is [Name, ..];

    /// <summary><c>--extract type length characters charset</c>. Without a number of characters a document that is too long is a fault; with one it ends there.</summary>
    public static string[] Arguments(string mediaType, int length, int? characters, string? charset) =>
        [Name, mediaType, length.ToString(CultureInfo.InvariantCulture), characters?.ToString(CultureInfo.InvariantCulture) ?? "all", charset ?? "unknown"];

    public static int Run(string[] args)
    {
        using var output = new BlockWriter(Console.OpenStandardOutput());
        try
        {
            var content = new byte[int.Parse(args[2], CultureInfo.InvariantCulture)];
            using (var input = Console.OpenStandardInput()) input.ReadExactly(content);
            Read(args, content, output);
        }
        catch (Exception exception) when (exception is not IOException)
        {
            output.Fail(CodeOf(exception));
        }
        return 0;
    }

    private static void Read(string[] args, byte[] content, BlockWriter output)
    {
        var isPart = int.TryParse(args[3], NumberStyles.None, CultureInfo.InvariantCulture, out var characters);
        var sink = new BlockSink(output.Write, isPart ? characters : BlockSink.MaxCharacters, isPart);
        switch (args[1])
        {
            case FileTypes.Html:
                var html = new HtmlBlocks();
                html.Read(DocumentEncoding.Decode(content, args[4], isHtml: true), sink);
                output.End(html.Title, html.Base, html.Links);
                break;
            case FileTypes.Docx:
                var docx = new DocxBlocks();
                docx.Read(content, sink);
                output.End(docx.Title);
                break;
            case FileTypes.Csv:
                CsvBlocks.Read(DocumentEncoding.Decode(content, args[4]), sink);
                output.End(null);
                break;
            case FileTypes.Json:
                JsonBlocks.Read(DocumentEncoding.AsUtf8(content), sink);
                output.End(null);
                break;
            default:
                throw new ExtractionException(ExtractionException.Unsupported);
        }
    }

    private static string CodeOf(Exception exception) => exception switch
    {
        ExtractionException known => known.Code,
        OutOfMemoryException or InsufficientExecutionStackException => ExtractionException.TooComplex,
        InvalidDataException or XmlException or JsonException or DecoderFallbackException => ExtractionException.Corrupt,
        // A parser that stumbles in another way stumbles over the document.
        _ => ExtractionException.Corrupt,
    };
}
