using Flapjack.Server.Files;

namespace Flapjack.Server.Knowledge;

internal static class DocumentQueries
{
    /// <summary>Those whose title contains the text.</summary>
    public static IQueryable<Document> Search(this IQueryable<Document> documents, string? text)
    {
        if (string.IsNullOrEmpty(text)) return documents;
        var needle = text.ToLowerInvariant();
#pragma warning disable CA1304, CA1311, CA1862 // Translated to SQL lower(), which knows no culture.
        return documents.Where(d => d.Title.ToLower().Contains(needle));
#pragma warning restore CA1304, CA1311, CA1862
    }

    /// <summary>A name to save it under.</summary>
    public static string FileNameOf(Document document) => document.Address is { } address ? FileName.Of(new Uri(address), "page") : FileName.Clean(document.SourceRef, "document");
}
