using System.Globalization;
using System.Text;
using Flapjack.Sandboxes;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Platform.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flapjack.Server.Tests.Knowledge.Extraction;

/// <summary>Documents made by hand, and the reader of them.</summary>
internal static class Documents
{
    public static readonly DocumentExtractor Extractor = new(new SandboxHost(), ServerSettings.Read(new ConfigurationBuilder().Build()), NullLogger<DocumentExtractor>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<ExtractedDocument> ReadAsync(byte[] content, string name, string? declared = null) => Extractor.ExtractAsync(content, name, declared, Token);

    public static Task<ExtractedDocument> ReadAsync(string content, string name, string? declared = null) => ReadAsync(Encoding.UTF8.GetBytes(content), name, declared);

    public static async Task<string> FaultAsync(byte[] content, string name, string? declared = null) => (await Should.ThrowAsync<ExtractionException>(() => ReadAsync(content, name, declared))).Code;

    /// <summary>A PDF with these pages of text, written out object by object.</summary>
    public static byte[] Pdf(IReadOnlyList<string> pages, string? title = null, string trailer = "", params string[] objects)
    {
        var all = new List<string>
        {
            "<< /Type /Catalog /Pages 2 0 R >>",
            $"<< /Type /Pages /Kids [{string.Join(' ', pages.Select((_, i) => $"{4 + 2 * i} 0 R"))}] /Count {pages.Count} >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        };
        foreach (var page in pages)
        {
            var text = $"BT /F1 12 Tf 72 720 Td 14 TL\n{string.Concat(page.Split('\n').Select(line => $"({line}) Tj T*\n"))}ET";
            all.Add($"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {all.Count + 2} 0 R /Resources << /Font << /F1 3 0 R >> >> >>");
            all.Add($"<< /Length {text.Length} >>\nstream\n{text}\nendstream");
        }
        if (title is not null) all.Add($"<< /Title ({title}) >>");
        var info = title is null ? "" : $"/Info {all.Count} 0 R";
        all.AddRange(objects);
        var pdf = new StringBuilder("%PDF-1.4\n");
        var offsets = new List<int>();
        foreach (var (i, @object) in all.Index())
        {
            offsets.Add(pdf.Length);
            pdf.Append(CultureInfo.InvariantCulture, $"{i + 1} 0 obj\n{@object}\nendobj\n");
        }
        var xref = pdf.Length;
        pdf.Append(CultureInfo.InvariantCulture, $"xref\n0 {all.Count + 1}\n0000000000 65535 f \n");
        foreach (var offset in offsets) pdf.Append(CultureInfo.InvariantCulture, $"{offset:D10} 00000 n \n");
        pdf.Append(CultureInfo.InvariantCulture, $"trailer << /Size {all.Count + 1} /Root 1 0 R {info} {trailer} >>\nstartxref\n{xref}\n%%EOF\n");
        return Encoding.Latin1.GetBytes(pdf.ToString());
    }

    /// <summary>The blocks in short: the first letter of the kind, the level of headings, the text.</summary>
    public static string[] Short(this ExtractedDocument document) => [.. document.Blocks.Select(b => $"{b.Kind.ToString()[0]}{(b.Level > 0 ? b.Level.ToString(CultureInfo.InvariantCulture) : "")} {b.Text}")];
}
