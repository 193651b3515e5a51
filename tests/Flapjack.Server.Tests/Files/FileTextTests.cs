using Flapjack.Server.Files.Text;

namespace Flapjack.Server.Tests.Files;

/// <summary>Reading text out of files, hostile ones included.</summary>
public sealed class FileTextTests
{
    private const string W = "w:";

    [Fact]
    public void A_page_is_read_without_scripts_and_navigation()
    {
        const string Html = """
            <!doctype html><html><head><title>Prices &amp; more</title><style>p{}</style><script>if (a < b) write("</p>")</script></head>
            <body><nav>Home | Shop <div>deep</div></nav><h2>Offers</h2><p>Tea   costs
            <b>4&nbsp;€</b>.</p><ul><li>green<li>black</ul><table><tr><th>Kind<th>Price</tr><tr><td>Oolong</td><td>5</td></tr></table><pre>a
              b</pre><!-- hidden --><footer>Imprint</footer></body></html>
            """;
        HtmlText.Of(Html, 10_000).ShouldBe("Prices & more\n## Offers\nTea costs 4 €.\n- green\n- black\nKind\tPrice\nOolong\t5\na\n  b");
    }

    [Fact]
    public void A_page_of_nothing_but_navigation_keeps_it() => HtmlText.Of("<nav>Home <a>Shop</a>", 100).ShouldBe("Home Shop");

    [Theory]
    [InlineData("<div>")]
    [InlineData("<b><p>")]
    [InlineData("<a x=1 x=2 x=3>")]
    public void No_nesting_is_too_deep(string tag)
    {
        var html = string.Concat(Enumerable.Repeat(tag, 200_000)) + "bottom";
        HtmlText.Of(html, 100).ShouldBe("bottom");
    }

    [Fact]
    public void A_document_is_read_in_order()
    {
        var text = DocxText.Of(Samples.Docx($"""
            <w:p><w:pPr><w:pStyle w:val="Heading1"/><w:tabs><w:tab w:val="left" w:pos="1"/></w:tabs></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>
            <w:p><w:r><w:t xml:space="preserve">One </w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three &amp; four</w:t><w:delText>gone</w:delText></w:r></w:p>
            <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>
            <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
            <w:p><w:r><w:t/></w:r></w:p>
            """), 10_000);
        (text.Problem, text.Value).ShouldBe((null, "# Title\nOne \ttwo\nthree & four\n- item\na\tb"));
    }

    [Fact]
    public void A_bomb_is_given_up_on()
    {
        var bomb = Samples.Docx("<w:p>" + new string(' ', 70 * 1024 * 1024) + "</w:p>");
        bomb.Length.ShouldBeLessThan(200_000);
        DocxText.Of(bomb, 10_000).Problem.ShouldBe("TOO_COMPLEX");
    }

    [Theory]
    [InlineData("<w:p><w:r>")]
    [InlineData("<!DOCTYPE a [<!ENTITY e 'x'>]><w:p/>")]
    public void Broken_documents_are_corrupt(string body) => DocxText.Of(Samples.Docx(body), 100).Problem.ShouldBe("CORRUPT");

    [Fact]
    public void A_deep_document_is_read()
    {
        var body = string.Concat(Enumerable.Repeat($"<{W}sdt>", 100_000)) + "<w:r><w:t>bottom</w:t></w:r>" + string.Concat(Enumerable.Repeat($"</{W}sdt>", 100_000));
        DocxText.Of(Samples.Docx(body), 100).Value.ShouldBe("bottom");
    }

    public static TheoryData<byte[], string> Texts => new()
    {
        { "größe €"u8.ToArray(), "größe €" },
        { [0xEF, 0xBB, 0xBF, (byte)'x'], "x" },
        { [0xFF, 0xFE, (byte)'x', 0, (byte)'y', 0], "xy" },
        { [0xFE, 0xFF, 0, (byte)'x', 0], "x" },
        { [0x67, 0x72, 0xF6, 0xDF, 0x65, 0x20, 0x80], "größe €" },
        { [(byte)'a', 0xE2, 0x82], "a" },
        { [], "" },
    };

    [Theory, MemberData(nameof(Texts))]
    public void Text_is_decoded_whatever_its_character_set(byte[] bytes, string text) => PlainText.Decode(bytes).ShouldBe(text);
}
