namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>A page of the web as text.</summary>
/// <param name="Title">As the page names itself.</param>
/// <param name="Text">Its main content as Markdown: headings, lists, tables; without navigation and scripts. May be empty.</param>
/// <param name="Links">Addresses the page links to, absolute, http or https, without fragments, each once, in order; at most <see cref="PageReader.MaxLinks"/>.</param>
/// <param name="IsTruncated">Whether the text goes on behind what was asked for.</param>
internal sealed record WebPage(string? Title, string Text, IReadOnlyList<Uri> Links, bool IsTruncated);

/// <summary>Reads pages of the web: what comes from an address and is html, or any other format that <see cref="DocumentExtractor"/> knows.</summary>
internal sealed class PageReader(DocumentExtractor extractor)
{
    public const int MaxLinks = 1_000;

    /// <summary>The main content of what an address answered. Pages that cannot be read are an <see cref="ExtractionException"/>; a page without text is not.</summary>
    /// <param name="content">The body.</param>
    /// <param name="contentType">The answer's <c>Content-Type</c>, with its charset.</param>
    /// <param name="address">Where it came from; relative links and the name are taken from it.</param>
    /// <param name="maxCharacters">Of the text.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<WebPage> ReadAsync(ReadOnlyMemory<byte> content, string? contentType, Uri address, int maxCharacters, CancellationToken cancellationToken)
    {
        try
        {
            // An answer says what it is, which counts for more here than the last part of an address; but it must be text to be a page.
            var type = DocumentTypes.Of(content, DocumentTypes.NameOf(contentType, address.AbsolutePath), contentType);
            var order = new ExtractionOrder(type, DocumentExtractor.CharsetOf(contentType), maxCharacters + 1);
            var (document, page) = await extractor.ExtractAsync(content, order, cancellationToken);
            var (text, isTruncated) = DocumentText.Of(document.Blocks, maxCharacters);
            return new(document.Title, text, page is null ? [] : [.. LinksOf(page.Links, page.Base, address)], isTruncated);
        }
        catch (ExtractionException exception) when (exception.Code == ExtractionException.NoText)
        {
            return new(null, "", [], false);
        }
    }

    private static IEnumerable<Uri> LinksOf(IReadOnlyList<string> links, string? @base, Uri address)
    {
        var root = @base is not null && Uri.TryCreate(address, @base, out var given) && given.Scheme is ("http" or "https") ? given : address;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var link in links)
        {
            if (!Uri.TryCreate(root, link, out var found) || found.Scheme is not ("http" or "https")) continue;
            var bare = new UriBuilder(found) { Fragment = "" }.Uri;
            if (seen.Add(bare.AbsoluteUri)) yield return bare;
            if (seen.Count == MaxLinks) yield break;
        }
    }
}
