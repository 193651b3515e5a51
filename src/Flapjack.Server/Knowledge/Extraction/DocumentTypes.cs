using Flapjack.Server.Files;

namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>Which documents are read here, told by their content.</summary>
internal static class DocumentTypes
{
    /// <summary>The media type.</summary>
    /// <exception cref="ExtractionException">It is none that can be read.</exception>
    public static string Of(ReadOnlyMemory<byte> content, string name, string? declaredType)
    {
        var bytes = content.Span;
        if (bytes.IsEmpty) throw new ExtractionException(ExtractionException.NoText);
        if (IsLockedOffice(bytes)) throw new ExtractionException(ExtractionException.Encrypted);
        var type = FileTypes.Detect(bytes[..Math.Min(bytes.Length, FileTypes.HeadBytes)], name, declaredType);
        if (type == FileTypes.Zip && FileTypes.IsDocx(bytes)) return FileTypes.Docx;
        var isRead = type == FileTypes.Pdf || type is not null && FileTypes.IsText(type) && FileTypes.LooksLikeText(bytes);
        return isRead ? type! : throw new ExtractionException(ExtractionException.Unsupported);
    }

    /// <summary>A name by which text is read as what somebody declared it to be, or <paramref name="otherwise"/> when nothing was that is read here.</summary>
    public static string NameOf(string? contentType, string otherwise) => contentType?.Split(';')[0].Trim().ToLowerInvariant() switch
    {
        FileTypes.Html or "application/xhtml+xml" => "document.html",
        FileTypes.Markdown => "document.md",
        FileTypes.Csv => "document.csv",
        FileTypes.Json => "document.json",
        { } other when other.EndsWith("+json", StringComparison.Ordinal) => "document.json",
        _ => otherwise,
    };

    // With a password, a Word document is no archive but an older container with the archive locked in it.
    private static bool IsLockedOffice(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith<byte>([0xD0, 0xCF, 0x11, 0xE0]) && bytes.IndexOf("E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"u8) >= 0;
}
