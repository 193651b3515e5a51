using System.Text;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Tests.Files;

namespace Flapjack.Server.Tests.Knowledge.Extraction;

/// <summary>What is read from documents of each format. Whatever needs a parser is read in a process of its own, as in a server.</summary>
public sealed class FormatTests
{
    [Fact]
    public async Task Text_is_paragraphs()
    {
        var document = await Documents.ReadAsync("One\ntwo.\r\n \r\n\r\n  Three.\n", "a.txt");
        (document.MediaType, document.Title, document.PageCount).ShouldBe(("text/plain", null, null));
        document.Short().ShouldBe(["P One\ntwo.", "P Three."]);
    }

    [Fact]
    public async Task Markdown_is_divided_by_its_lines()
    {
        var document = await Documents.ReadAsync("""
            ---
            title: about
            ---
            Preface
            goes on.
            # Guide #
            ## Install
            * one
              more of it

            * two
            1. three

            Text | with a bar
            | a | b |
            |---|---|
            | 1 | 2 |
            ```sh
            # no heading
              make

            ```
            Old style
            =========
            #hashtag is text
            """, "a.md");
        document.Title.ShouldBe("Guide");
        document.Short().ShouldBe(
        [
            "P Preface\ngoes on.", "H1 Guide", "H2 Install", "L * one\n  more of it\n\n* two\n1. three", "P Text | with a bar", "T | a | b |\n|---|---|\n| 1 | 2 |",
            "C # no heading\n  make", "H1 Old style", "P #hashtag is text",
        ]);
    }

    [Fact]
    public async Task A_page_is_read_without_scripts_and_navigation()
    {
        var document = await Documents.ReadAsync("""
            <!doctype html><html><head><title>Prices &amp; more</title><style>p{}</style><script>if (a < b) write("</p>")</script></head>
            <body><nav>Home | Shop <div>deep</div></nav><h2><span>Offers</span></h2><p>Tea   costs
            <b>4&nbsp;€</b>.<p>Or<br>less.</p><ul><li>green<ul><li>sencha</ul><li><p>black</p></ul><table><tr><th>Kind<th>Price</tr><tr><td>Oolong <i>tea</i></td><td>5</td></tr></table><pre>a
              b</pre><!-- hidden --><div hidden>gone</div><footer>Imprint</footer></body></html>
            """, "page");
        document.Title.ShouldBe("Prices & more");
        document.Short().ShouldBe(["H2 Offers", "P Tea costs 4 €.", "P Or\nless.", "L - green\n  - sencha\n- black", "T Kind\tPrice\nOolong tea\t5", "C a\n  b"]);
    }

    [Fact]
    public async Task Of_a_page_with_a_main_part_the_rest_is_left_out()
    {
        var text = string.Concat(Enumerable.Repeat("Rain falls in Bergen. ", 20)).Trim();
        var document = await Documents.ReadAsync($"<html><header><h1>Site</h1></header><div>Cookies?<main><h1>Rain</h1><p>{text}</p><aside>Advertisement</aside></main></div><p>Related</p>", "a.html");
        document.Short().ShouldBe(["H1 Rain", "P " + text]);
    }

    [Fact]
    public async Task Lists_of_links_are_no_content()
    {
        var links = string.Concat(Enumerable.Range(0, 9).Select(i => $"<li><a href=/{i}>Another page {i}</a>"));
        (await Documents.ReadAsync($"<html><div><ul>{links}</ul></div><div>What this is about.</div>", "a.html")).Short().ShouldBe(["P What this is about."]);
        (await Documents.ReadAsync($"<html><div><ul>{links}</ul></div>", "a.html")).Blocks.ShouldHaveSingleItem().Kind.ShouldBe(BlockKind.List);
    }

    [Fact]
    public async Task A_page_of_nothing_but_navigation_keeps_it() => (await Documents.ReadAsync("<html><nav>Home <a>Shop</a>", "a.html")).Short().ShouldBe(["P Home Shop"]);

    [Fact]
    public async Task Pages_are_decoded_as_they_say()
    {
        byte[] page = [.. "<html><meta charset=shift_jis><p>"u8, 0x93, 0xFA, 0x96, 0x7B];
        (await Documents.ReadAsync(page, "a.html")).Short().ShouldBe(["P 日本"]);
    }

    [Fact]
    public async Task A_word_document_has_headings_lists_and_tables()
    {
        const string Styles = """<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style><w:style w:styleId="Own"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style></w:styles>""";
        const string Core = """<cp:coreProperties xmlns:cp="a" xmlns:dc="b"><dc:title>Named</dc:title></cp:coreProperties>""";
        var body = $"""
            <w:p><w:pPr><w:pStyle w:val="Heading1"/><w:tabs><w:tab w:val="left" w:pos="1"/></w:tabs></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>
            <w:p><w:pPr><w:pStyle w:val="berschrift2"/></w:pPr><w:r><w:t>Second</w:t></w:r></w:p>
            <w:p><w:pPr><w:pStyle w:val="Own"/></w:pPr><w:r><w:t>Third</w:t></w:r></w:p>
            <w:p><w:r><w:t xml:space="preserve">One </w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three &amp; four</w:t><w:delText>gone</w:delText></w:r></w:p>
            <w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>
            <w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>inner</w:t></w:r></w:p>
            <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>d</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
            <w:p><w:r><w:t/></w:r></w:p>
            <w:p><w:r><w:t>End.</w:t></w:r></w:p>
            """;
        var zip = Samples.Zip(("word/styles.xml", Styles), ("docProps/core.xml", Core), ("word/document.xml", $"""<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>"""));
        var document = await Documents.ReadAsync(zip, "no-docx.pdf");
        (document.Title, document.MediaType).ShouldBe(("Named", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"));
        document.Short().ShouldBe(["H1 Title", "H2 Second", "H3 Third", "P One \ttwo\nthree & four", "L - item\n  - inner", "T a c\tb\n\td", "P End."]);
    }

    [Fact]
    public async Task Csv_is_rows()
    {
        var document = await Documents.ReadAsync("name;note;\n\"Ann\";\"says \"\"hi; ho\"\"\nagain\"\n\n;;\r\nBob;5\" pipe", "a.csv");
        document.Short().ShouldBe(["R name\tnote", "R Ann\tsays \"hi; ho\" again", "R Bob\t5\" pipe"]);
    }

    [Theory]
    [InlineData("""[{"a": "\u00e4", "b": [1, 2.50]}, "x", 7]""", new[] { """R {"a":"ä","b":[1,2.50]}""", "R \"x\"", "R 7" })]
    [InlineData("{\"a\":1}\n{\"a\":2}\n", new[] { """R {"a":1}""", """R {"a":2}""" })]
    [InlineData("""{"a":{"b":[]}}""", new[] { "C {\n  \"a\": {\n    \"b\": []\n  }\n}" })]
    public async Task Json_is_records_or_one_text(string json, string[] blocks) => (await Documents.ReadAsync(json, "a.json")).Short().ShouldBe(blocks);

    [Fact]
    public async Task A_pdf_is_read_with_its_pages()
    {
        Assert.SkipWhen(Flapjack.Sandboxes.SandboxHost.Find("pdftotext") is null, "pdftotext is not installed");
        var document = await Documents.ReadAsync(Documents.Pdf(["Hello world.\nA divided hyphen-\nation.", "", "Page three."], "My title"), "a.txt");
        (document.MediaType, document.Title, document.PageCount).ShouldBe(("application/pdf", "My title", 3));
        document.Blocks.Select(b => (b.Page, b.Text.ReplaceLineEndings(" "))).ShouldBe([(1, "Hello world. A divided hyphenation."), (3, "Page three.")]);
    }

    [Fact]
    public async Task The_content_decides_what_it_is_and_among_texts_the_name()
    {
        (await Documents.ReadAsync("<html><p>x", "a.csv")).MediaType.ShouldBe("text/html");
        (await Documents.ReadAsync("a,b", "a.bin", "text/csv; charset=utf-8")).MediaType.ShouldBe("text/csv");
        (await Documents.ReadAsync(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("wide")).ToArray(), "a")).Short().ShouldBe(["P wide"]);
    }
}
