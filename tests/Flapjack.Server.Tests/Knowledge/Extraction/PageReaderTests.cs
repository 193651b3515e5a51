using System.Text;
using Flapjack.Server.Knowledge.Extraction;

namespace Flapjack.Server.Tests.Knowledge.Extraction;

/// <summary>Pages of the web as text with links.</summary>
public sealed class PageReaderTests
{
    private static readonly Uri Address = new("https://example.com/docs/page?x=1");

    [Fact]
    public async Task A_page_has_a_title_text_and_absolute_links()
    {
        var page = await ReadAsync("""<title>T</title><nav><a href="/home">Home</a></nav><h1>Rain</h1><p>See <a href="more#top">more</a>, <a href="more">again</a>, <a href="mailto:a@b.c">mail</a>, <a href="//other.org/">other</a>, <a href="javascript:x">no</a>.</p>""", "text/html; charset=utf-8");
        (page.Title, page.Text, page.IsTruncated).ShouldBe(("T", "# Rain\n\nSee more, again, mail, other, no.", false));
        page.Links.Select(l => l.AbsoluteUri).ShouldBe(["https://example.com/home", "https://example.com/docs/more", "https://other.org/"]);
    }

    [Fact]
    public async Task Links_are_relative_to_where_the_page_says() =>
        (await ReadAsync("""<base href="/root/"><a href="a">x</a>""", "text/html")).Links.ShouldHaveSingleItem().AbsoluteUri.ShouldBe("https://example.com/root/a");

    [Fact]
    public async Task Text_is_cut_to_what_was_asked_for()
    {
        var page = await ReadAsync($"<p>{new string('x', 500)}</p><p>{new string('y', 500)}</p>", "text/html", 600);
        (page.Text, page.IsTruncated).ShouldBe((new string('x', 500), true));
        (await ReadAsync($"<p>{new string('x', 500)}</p>", "text/html", 300)).Text.ShouldBe(new string('x', 300));
    }

    [Theory]
    [InlineData("text/plain", "plain words", "plain words")]
    [InlineData("application/ld+json", "{\"a\":1}", "```\n{\n  \"a\": 1\n}\n```")]
    [InlineData(null, "words of no type", "words of no type")]
    [InlineData("text/html", "", "")]
    [InlineData("text/html", "<script>x</script>", "")]
    public async Task Other_answers_are_read_as_what_they_are(string? type, string content, string text) => (await ReadAsync(content, type)).Text.ShouldBe(text);

    [Fact]
    public async Task What_is_no_text_is_refused() =>
        (await Should.ThrowAsync<ExtractionException>(() => new PageReader(Documents.Extractor).ReadAsync(new byte[] { 0, 1, 2 }, "text/html", Address, 100, TestContext.Current.CancellationToken))).Code.ShouldBe("UNSUPPORTED");

    private static Task<WebPage> ReadAsync(string content, string? type, int characters = 10_000) =>
        new PageReader(Documents.Extractor).ReadAsync(Encoding.UTF8.GetBytes(content), type, Address, characters, TestContext.Current.CancellationToken);
}
