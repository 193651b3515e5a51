using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Files.Text;

/// <summary>What a file says.</summary>
/// <param name="Value">At most <see cref="FileTexts.MaxCharacters"/> characters; empty with a problem.</param>
/// <param name="Problem">Why there is no text: <c>NO_TEXT</c>, <c>ENCRYPTED</c>, <c>CORRUPT</c>, <c>TOO_COMPLEX</c> or <c>UNSUPPORTED</c>; null when there is.</param>
internal sealed record FileText(string Value, string? Problem)
{
    public static FileText Without(string problem) => new("", problem);
}

/// <summary>Reads documents that are more than text: pages, Word documents, PDFs.</summary>
internal interface IDocumentText
{
    /// <summary>The text, ended after about so many characters, or why there is none.</summary>
    Task<FileText> ReadAsync(ReadOnlyMemory<byte> content, string mediaType, int characters, CancellationToken cancellationToken);
}

/// <summary>Reads the text of files. The latest stay in memory: a conversation asks for the same ones at every turn.</summary>
internal sealed class FileTexts(FileStore files, IDocumentText documents) : IDisposable
{
    public const int MaxCharacters = 100_000;

    // What follows cannot add to the first hundred thousand characters: of plain text four bytes each at most, of a page mostly markup.
    private const int PlainBytes = 512 * 1024, HtmlBytes = 4 * 1024 * 1024;
    private const long CachedCharacters = 4_000_000;
    private const string Rest = "\n[The rest of this file is left out.]";
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = CachedCharacters });

    /// <summary>The text of a file, or why there is none.</summary>
    public async ValueTask<FileText> ReadAsync(StoredFile file, CancellationToken cancellationToken)
    {
        if (_cache.TryGetValue(file.Id, out FileText? known)) return known!;
        var text = await ExtractAsync(file, cancellationToken);
        // What this host cannot read today it may read tomorrow.
        if (text.Problem != "UNSUPPORTED") _cache.Set(file.Id, text, new MemoryCacheEntryOptions { Size = 100 + text.Value.Length });
        return text;
    }

    public void Dispose() => _cache.Dispose();

    private async Task<FileText> ExtractAsync(StoredFile file, CancellationToken cancellationToken)
    {
        switch (file.MediaType)
        {
            case FileTypes.Html:
                return Capped(await documents.ReadAsync(await HeadAsync(file, HtmlBytes, cancellationToken), file.MediaType, MaxCharacters + 1, cancellationToken));
            case FileTypes.Docx or FileTypes.Pdf:
                return Capped(await documents.ReadAsync(await files.ReadAsync(file, cancellationToken), file.MediaType, MaxCharacters + 1, cancellationToken));
            case var type when FileTypes.IsText(type):
                return Capped(new FileText(PlainText.Decode(await HeadAsync(file, PlainBytes, cancellationToken)), null));
            default:
                return FileText.Without("UNSUPPORTED");
        }
    }

    private async Task<byte[]> HeadAsync(StoredFile file, int bytes, CancellationToken cancellationToken)
    {
        var head = new byte[Math.Min(bytes, file.SizeBytes)];
        await using var content = files.Open(file);
        await content.ReadExactlyAsync(head, cancellationToken);
        return head;
    }

    private static FileText Capped(FileText read)
    {
        var text = read.Value;
        if (read.Problem is not null) return read;
        if (string.IsNullOrWhiteSpace(text)) return FileText.Without("NO_TEXT");
        if (text.Length <= MaxCharacters) return new(text, null);
        // Not in the middle of a character.
        var end = char.IsHighSurrogate(text[MaxCharacters - Rest.Length - 1]) ? MaxCharacters - Rest.Length - 1 : MaxCharacters - Rest.Length;
        return new(text[..end] + Rest, null);
    }
}
