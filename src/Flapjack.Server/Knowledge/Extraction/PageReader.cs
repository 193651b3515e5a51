namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>A page of the web as text.</summary>
/// <param name="Title">As the page names itself.</param>
/// <param name="Text">Its main content as Markdown: headings, lists, tables; without navigation and scripts. May be empty.</param>
/// <param name="Links">Addresses the page links to, absolute, http or https, without fragments, each once, in order; at most <see cref="PageReader.MaxLinks"/>.</param>
/// <param name="IsTruncated">Whether the text goes on behind what was asked for.</param>
internal sealed record WebPage(string? Title, string Text, IReadOnlyList<Uri> Links, bool IsTruncated);

/// <summary>Reads pages of the web: what comes from an address and is html, or any other format that <see cref="DocumentExtractor"/> knows.</summary>
internal sealed class PageReader
{
    private readonly string _code = ExtractionException.Unsupported;

    public const int MaxLinks = 1_000;

    /// <summary>The main content of what an address answered. Pages that cannot be read are an <see cref="ExtractionException"/>; a page without text is not.</summary>
    /// <param name="content">The body.</param>
    /// <param name="contentType">The answer's <c>Content-Type</c>, with its charset.</param>
    /// <param name="address">Where it came from; relative links and the name are taken from it.</param>
    /// <param name="maxCharacters">Of the text.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<WebPage> ReadAsync(ReadOnlyMemory<byte> content, string? contentType, Uri address, int maxCharacters, CancellationToken cancellationToken) =>
        Task.FromException<WebPage>(new ExtractionException(_code));
}
