using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Knowledge.Extraction;

namespace Flapjack.Server.Tests.Knowledge.Chunking;

/// <summary>Where documents are cut. A token is four letters here.</summary>
public sealed class ChunkerTests
{
    [Fact]
    public void A_small_document_is_one_chunk()
    {
        var chunk = Cut(100, 0, Heading(1, "Guide"), Text("Tea is hot."), Text("Ice is cold.")).ShouldHaveSingleItem();
        (chunk.Position, chunk.Text, chunk.Heading).ShouldBe((0, "# Guide\n\nTea is hot.\n\nIce is cold.", "Guide"));
    }

    [Fact]
    public void Nothing_makes_no_chunk() => Cut(100, 10).ShouldBeEmpty();

    [Fact]
    public void Small_sections_are_merged_under_one_parent_only()
    {
        var chunks = Cut(100, 0,
            Heading(1, "One"), Heading(2, "A"), Text("aa."), Heading(2, "B"), Text("bb."), Heading(3, "B1"), Text("b1."),
            Heading(1, "Two"), Heading(2, "C"), Text("cc."));
        // The whole fits, and all of it stands under the document.
        chunks.ShouldHaveSingleItem();
        chunks = Cut(16, 0, Heading(1, "One"), Heading(2, "A"), Text("aa."), Heading(2, "B"), Text("bb."), Heading(1, "Two"), Heading(2, "C"), Text("cc. dddddddddddddddddddddddd"), Heading(2, "D"), Text("dd."));
        chunks.Select(c => c.Text).ShouldBe(["# One\n\n## A\n\naa.\n\n## B\n\nbb.\n\n# Two", "## C\n\ncc. dddddddddddddddddddddddd\n\n## D\n\ndd."]);
    }

    [Fact]
    public void A_section_that_does_not_fit_begins_a_chunk()
    {
        var chunks = Cut(20, 0, Heading(1, "A"), Text(Words(10)), Heading(1, "B"), Text(Words(10)));
        chunks.Select(c => (c.Heading, c.Text)).ShouldBe([("A", "# A\n\n" + Words(10)), ("B", "# B\n\n" + Words(10))]);
    }

    [Fact]
    public void A_long_paragraph_is_cut_between_sentences_and_the_next_chunk_repeats_the_last_ones()
    {
        var text = string.Join(' ', Enumerable.Range(10, 20).Select(i => $"Sentence number {i}."));
        var chunks = Cut(30, 8, Heading(1, "Long"), Text(text));
        chunks.Count.ShouldBeGreaterThan(3);
        chunks.ShouldAllBe(c => c.Heading == "Long" && c.Text.EndsWith('.'));
        chunks[0].Text.ShouldEndWith("Sentence number 14.");
        chunks[1].Text.ShouldStartWith("Sentence number 14. Sentence number 15.");
    }

    [Fact]
    public void A_table_is_cut_between_rows_and_code_between_lines_only_when_they_are_larger_than_a_chunk()
    {
        var rows = string.Join('\n', Enumerable.Range(10, 8).Select(i => $"row {i}\tvalue {i}"));
        var fits = Cut(40, 0, Text(Words(12)), new(BlockKind.Table, rows), new(BlockKind.Code, rows));
        fits.Select(c => c.Text).ShouldBe([Words(12), rows, rows]);
        foreach (var kind in (BlockKind[])[BlockKind.Table, BlockKind.Code])
        {
            var chunks = Cut(16, 0, new DocumentBlock(kind, rows));
            chunks.Count.ShouldBe(2);
            string.Join('\n', chunks.Select(c => c.Text)).ShouldBe(rows);
        }
    }

    [Fact]
    public void Every_chunk_of_a_csv_file_begins_with_its_header()
    {
        DocumentBlock[] rows = [Row("name\tcity"), .. Enumerable.Range(10, 9).Select(i => Row($"person {i}\tBergen"))];
        var chunks = Chunker.Cut(new("text/csv", null, null, rows), 16, 5);
        chunks.Count.ShouldBe(3);
        chunks.ShouldAllBe(c => c.Text.StartsWith("name\tcity\nperson ", StringComparison.Ordinal));
        chunks.SelectMany(c => c.Text.Split('\n')[1..]).ShouldBe(rows[1..].Select(r => r.Text));
    }

    [Fact]
    public void Records_of_json_are_grouped_and_have_no_header()
    {
        var chunks = Chunker.Cut(new("application/json", null, null, [.. Enumerable.Range(10, 6).Select(i => Row($$"""{"id":{{i}},"city":"Oslo"}"""))]), 16, 5);
        chunks.SelectMany(c => c.Text.Split('\n')).Count().ShouldBe(6);
        chunks.Count.ShouldBe(3);
    }

    [Fact]
    public void A_chunk_tells_the_page_it_begins_on()
    {
        var chunks = Cut(16, 4, Text(Words(10)) with { Page = 1 }, Text(Words(10)) with { Page = 2 }, Text(Words(10)) with { Page = 4 });
        chunks.Select(c => c.Page).ShouldBe([1, 2, 4]);
    }

    [Fact]
    public void A_heading_stays_with_what_follows_it()
    {
        var chunks = Cut(20, 0, Text(Words(10)), Heading(2, "Big"), Text(string.Join(' ', Enumerable.Repeat("One sentence here.", 12))));
        chunks[1].Text.ShouldStartWith("## Big\n\nOne sentence here.");
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("four", 1)]
    [InlineData("fives", 2)]
    [InlineData("größe", 2)]
    [InlineData("茶を", 2)]
    [InlineData("🙂", 2)]
    public void Tokens_are_estimated(string text, int tokens) => TokenEstimate.Of(text).ShouldBe(tokens);

    private static IReadOnlyList<TextChunk> Cut(int size, int overlap, params DocumentBlock[] blocks) => Chunker.Cut(new("text/markdown", null, null, blocks), size, overlap);

    private static DocumentBlock Heading(int level, string text) => new(BlockKind.Heading, text, level);

    private static DocumentBlock Text(string text) => new(BlockKind.Paragraph, text);

    private static DocumentBlock Row(string text) => new(BlockKind.Row, text);

    // Four letters and a space each.
    private static string Words(int count) => string.Join(' ', Enumerable.Repeat("word", count));
}
