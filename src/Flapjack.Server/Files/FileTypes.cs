namespace Flapjack.Server.Files;

/// <summary>Tells what a file is. The content decides; among texts, which look alike, its name or declared type does.</summary>
internal static class FileTypes
{
    public const string Pdf = "application/pdf", Docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    public const string Text = "text/plain", Markdown = "text/markdown", Html = "text/html", Csv = "text/csv", Json = "application/json";

    /// <summary>A zip archive, of which only the whole says whether it is a document.</summary>
    public const string Zip = "application/zip";

    /// <summary>How much of a file is looked at.</summary>
    public const int HeadBytes = 4096;

    public static bool IsImage(string mediaType) => mediaType.StartsWith("image/", StringComparison.Ordinal);

    public static bool IsText(string mediaType) => mediaType is Text or Markdown or Html or Csv or Json;

    /// <summary>The media type of a file that begins like this; null when it is none that is taken here.</summary>
    public static string? Detect(ReadOnlySpan<byte> head, string name, string? declared)
    {
        if (head.StartsWith<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A])) return "image/png";
        if (head.StartsWith<byte>([0xFF, 0xD8, 0xFF])) return "image/jpeg";
        if (head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8)) return "image/gif";
        if (head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8)) return "image/webp";
        if (head[..Math.Min(head.Length, 1024)].IndexOf("%PDF-"u8) >= 0) return Pdf;
        if (head.StartsWith("PK\u0003\u0004"u8)) return Zip;
        return LooksLikeText(head) ? TextType(head, name, declared) : null;
    }

    /// <summary>False for bytes that no text holds.</summary>
    public static bool LooksLikeText(ReadOnlySpan<byte> bytes)
    {
        if (IsUtf16(bytes)) return true;
        foreach (var b in bytes)
        {
            // Tab, line ends, form feed and escape occur in texts; no other control character does.
            if (b < 0x20 && b is not (0x09 or 0x0A or 0x0C or 0x0D or 0x1B)) return false;
        }
        return true;
    }

    public static bool IsUtf16(ReadOnlySpan<byte> bytes) => bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..];

    /// <summary>Whether an archive has the part of a Word document that holds its text. Its list of contents is not read: that is left to the process that reads the document.</summary>
    public static bool IsDocx(ReadOnlySpan<byte> archive) => archive.IndexOf("word/document.xml"u8) >= 0;

    private static string TextType(ReadOnlySpan<byte> head, string name, string? declared)
    {
        var start = head.StartsWith<byte>([0xEF, 0xBB, 0xBF]) ? head[3..] : head;
        start = start.TrimStart(" \t\r\n"u8);
        if (StartsWithIgnoringCase(start, "<!doctype html"u8) || StartsWithIgnoringCase(start, "<html"u8)) return Html;
        var hint = Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".md" or ".markdown" => Markdown,
            ".csv" => Csv,
            ".htm" or ".html" => Html,
            ".json" => Json,
            ".txt" => Text,
            _ => declared?.Split(';')[0].Trim().ToLowerInvariant(),
        };
        return hint switch
        {
            Markdown or Csv or Html => hint,
            Json when start is [(byte)'{' or (byte)'[' or (byte)'"', ..] => Json,
            _ => Text,
        };
    }

    private static bool StartsWithIgnoringCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start) =>
        text.Length >= start.Length && System.Text.Ascii.EqualsIgnoreCase(text[..start.Length], start);
}
