using System.IO.Compression;
using System.Text;
using Flapjack.Sandboxes;
using Flapjack.Server.Tests.Files;

namespace Flapjack.Server.Tests.Knowledge.Extraction;

/// <summary>Documents that are broken, locked, empty, mislabelled or made to hurt: each is told by its code, and none by an exception of another kind.</summary>
public sealed class HostileDocumentTests
{
    private const string Open = """<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>""", Close = "</w:body></w:document>";

    private static readonly (string What, Func<byte[]> Content, string Name, string Code)[] Cases =
    [
        ("nothing", () => [], "a.pdf", "NO_TEXT"),
        ("white space", () => "  \n\t\n"u8.ToArray(), "a.txt", "NO_TEXT"),
        ("an image", () => Samples.Png(), "a.pdf", "UNSUPPORTED"),
        ("bytes", () => [1, 2, 3, 0], "a.txt", "UNSUPPORTED"),
        ("bytes behind text", () => [.. Enumerable.Repeat((byte)'x', 5000), 0, 1], "a.txt", "UNSUPPORTED"),
        ("another archive", () => Samples.Zip(("xl/workbook.xml", "<a/>")), "a.docx", "UNSUPPORTED"),
        ("a page without text", () => "<html><script>x</script>"u8.ToArray(), "a.html", "NO_TEXT"),
        ("broken json", () => "{\"a\": "u8.ToArray(), "a.json", "CORRUPT"),
        ("deep json", () => Encoding.UTF8.GetBytes(new string('[', 100_000)), "a.json", "TOO_COMPLEX"),
        ("a document without text", () => Samples.Docx("<w:p/>"), "a.docx", "NO_TEXT"),
        ("an unclosed document", () => Samples.Docx("<w:p><w:r>"), "a.docx", "CORRUPT"),
        ("a document with entities", () => Samples.Zip(("word/document.xml", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>")), "a.docx", "CORRUPT"),
        ("half a document", () => Samples.Docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>")[..150], "a.docx", "CORRUPT"),
        ("an archive with the name only", () => [.. "PK\u0003\u0004 word/document.xml"u8, .. new byte[100]], "a.docx", "CORRUPT"),
        ("a document with a password", () => [0xD0, 0xCF, 0x11, 0xE0, .. new byte[600], .. Encoding.Unicode.GetBytes("EncryptedPackage")], "a.docx", "ENCRYPTED"),
        ("an older Word file", () => [0xD0, 0xCF, 0x11, 0xE0, .. new byte[600]], "a.doc", "UNSUPPORTED"),
        ("spaces without end", () => Bomb(' ', 260), "a.docx", "TOO_COMPLEX"),
        ("text without end", () => Bomb('x', 190), "a.docx", "TOO_COMPLEX"),
    ];

    private static readonly (string What, Func<byte[]> Content, string Code)[] PdfCases =
    [
        ("no objects", () => "%PDF-1.7\nrubbish\n%%EOF"u8.ToArray(), "CORRUPT"),
        ("half of one", () => Documents.Pdf(["text"])[..120], "CORRUPT"),
        ("no text layer", () => Documents.Pdf(["", ""]), "NO_TEXT"),
        ("too many pages", () => Documents.Pdf([.. Enumerable.Repeat("x", 5001)]), "TOO_COMPLEX"),
        ("a password", () => Documents.Pdf(["x"], trailer: $"/ID [<{new string('0', 32)}> <{new string('0', 32)}>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{new string('1', 64)}> /U <{new string('2', 64)}> >>"), "ENCRYPTED"),
        ("a page without end", PdfBomb, "TOO_COMPLEX"),
    ];

    public static TheoryData<string> Faults => [.. Cases.Select(c => c.What)];

    public static TheoryData<string> PdfFaults => [.. PdfCases.Select(c => c.What)];

    [Theory, MemberData(nameof(Faults))]
    public async Task It_is_told_by_its_code(string what)
    {
        var (_, content, name, code) = Cases.First(c => c.What == what);
        (await Documents.FaultAsync(content(), name)).ShouldBe(code);
    }

    [Theory, MemberData(nameof(PdfFaults))]
    public async Task So_is_a_pdf(string what)
    {
        Assert.SkipWhen(SandboxHost.Find("pdftotext") is null, "pdftotext is not installed");
        var (_, content, code) = PdfCases.First(c => c.What == what);
        (await Documents.FaultAsync(content(), "a.pdf")).ShouldBe(code);
    }

    [Theory]
    [InlineData("<div>")]
    [InlineData("<b><p>")]
    [InlineData("<a x=1 x=2 x=3>")]
    [InlineData("<ul><li>")]
    [InlineData("<table><tr><td>")]
    public async Task No_page_is_too_deep(string tag)
    {
        var html = "<html>" + string.Concat(Enumerable.Repeat(tag, 100_000)) + "bottom";
        (await Documents.ReadAsync(html, "a.html")).Blocks[^1].Text.TrimStart('-', ' ').ShouldEndWith("bottom");
    }

    [Fact]
    public async Task A_deep_document_is_read()
    {
        var body = string.Concat(Enumerable.Repeat("<w:sdt>", 100_000)) + "<w:r><w:t>bottom</w:t></w:r>" + string.Concat(Enumerable.Repeat("</w:sdt>", 100_000));
        (await Documents.ReadAsync(Samples.Docx(body), "a.docx")).Short().ShouldBe(["P bottom"]);
    }

    [Fact]
    public async Task A_bomb_among_others_leaves_the_rest_alone()
    {
        var bombs = Enumerable.Range(0, 3).Select(_ => Documents.FaultAsync(Bomb(' ', 260), "a.docx")).ToList();
        (await Documents.ReadAsync("<html><p>fine", "a.html")).Short().ShouldBe(["P fine"]);
        (await Task.WhenAll(bombs)).ShouldAllBe(code => code == "TOO_COMPLEX");
    }

    // Packed with the same byte a million times over, written without ever holding it.
    private static byte[] Bomb(char filling, int megabytes)
    {
        using var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry("word/document.xml", CompressionLevel.Fastest).Open();
            var chunk = Enumerable.Repeat((byte)filling, 1024 * 1024).ToArray();
            entry.Write(Encoding.UTF8.GetBytes(Open + "<w:p><w:r><w:t>"));
            for (var i = 0; i < megabytes; i++) entry.Write(chunk);
            entry.Write(Encoding.UTF8.GetBytes("</w:t></w:r></w:p>" + Close));
        }
        return archive.ToArray();
    }

    // Two megabytes that are forty million characters on one page.
    private static byte[] PdfBomb()
    {
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("(boom) Tj 0.00001 -0.00003 Td\n", 10_000)));
            deflate.Write("BT /F1 12 Tf 72 720 Td 14 TL\n"u8);
            for (var i = 0; i < 1_000; i++) deflate.Write(lines);
        }
        var (pdf, stream) = (Encoding.Latin1.GetString(Documents.Pdf(["x"])), Encoding.Latin1.GetString(packed.ToArray()));
        var begin = pdf.IndexOf("<< /Length", StringComparison.Ordinal);
        var end = pdf.IndexOf("endstream", begin, StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes($"{pdf[..begin]}<< /Length {stream.Length} /Filter /FlateDecode >>\nstream\n{stream}\n{pdf[end..]}");
    }
}
