namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>Reads documents in processes of their own, under limits of memory, time and output.</summary>
internal sealed class DocumentExtractor
{
    private readonly string _code = ExtractionException.Unsupported;

    /// <summary>What a document says. It is told by its content what it is; among texts the name decides, then the declared type.</summary>
    /// <exception cref="ExtractionException">It cannot be read.</exception>
    public Task<ExtractedDocument> ExtractAsync(ReadOnlyMemory<byte> content, string name, string? declaredType, CancellationToken cancellationToken) =>
        Task.FromException<ExtractedDocument>(new ExtractionException(_code));
}
