using Flapjack.Server.Files.Text;

namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>The text of files that people send, which <see cref="FileTexts"/> cannot read by itself.</summary>
internal sealed class FileDocuments(DocumentExtractor extractor) : IDocumentText
{
    public async Task<FileText> ReadAsync(ReadOnlyMemory<byte> content, string mediaType, int characters, CancellationToken cancellationToken)
    {
        try
        {
            var (document, _) = await extractor.ExtractAsync(content, new ExtractionOrder(mediaType, Characters: characters), cancellationToken);
            var text = DocumentText.Of(document.Blocks, characters).Text;
            // Pages often begin with what they are called.
            return new(document.Title is { } title && !text.StartsWith("# " + title, StringComparison.Ordinal) ? $"{title}\n\n{text}" : text, null);
        }
        catch (ExtractionException exception)
        {
            return FileText.Without(exception.Code);
        }
    }
}
