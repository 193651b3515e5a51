using System.Text;
using Flapjack.Server.Knowledge.Chunking;
using Flapjack.Server.Knowledge.Extraction;
using FsCheck;
using FsCheck.Fluent;

namespace Flapjack.Server.Tests.Knowledge.Chunking;

/// <summary>What holds for every document and every size of chunks.</summary>
public sealed class ChunkerPropertyTests
{
    private static readonly Gen<string> Word = Gen.Elements("a", "tea", "Oslo", "größe", "茶", "を", "🙂", "interoperability", "x.y", "end.", "really?", "\"So.\"", new string('z', 300), "句子。");

    private static readonly Gen<DocumentBlock> Block =
        from kind in Gen.Frequency((2, Gen.Constant(BlockKind.Heading)), (5, Gen.Constant(BlockKind.Paragraph)), (1, Gen.Constant(BlockKind.List)), (1, Gen.Constant(BlockKind.Table)), (1, Gen.Constant(BlockKind.Code)), (2, Gen.Constant(BlockKind.Row)))
        from level in Gen.Choose(1, 4)
        from count in Gen.Frequency((5, Gen.Choose(1, 12)), (1, Gen.Choose(50, 400)))
        from words in Gen.ListOf(Word, kind == BlockKind.Heading ? 1 + count % 6 : count)
        from breaks in Gen.Choose(2, 9)
        select new DocumentBlock(kind, Join(words, kind is BlockKind.Heading or BlockKind.Row ? int.MaxValue : breaks), kind == BlockKind.Heading ? level : 0);

    private static readonly Gen<(ExtractedDocument Document, int Size, int Overlap)> Case =
        from blocks in Gen.ListOf(Block)
        from isCsv in Gen.Elements(true, false, false)
        from size in Gen.Elements(16, 40, 100, 800)
        from overlap in Gen.Elements(0, 5, 20, 100)
        select (new ExtractedDocument(isCsv ? "text/csv" : "text/markdown", null, null, [.. blocks.Select((block, i) => block with { Page = 1 + i / 3 })]), size, overlap);

    [Fact]
    public void No_chunk_is_larger_than_allowed() => Holds(c => Cut(c).All(chunk => chunk.Tokens <= c.Size && chunk.Tokens == TokenEstimate.Of(chunk.Text) && chunk.Text.Length > 0));

    [Fact]
    public void Positions_count_and_pages_never_go_back() =>
        Holds(c => Cut(c) is var chunks && chunks.Select(chunk => chunk.Position).SequenceEqual(Enumerable.Range(0, chunks.Count)) && chunks.Zip(chunks.Skip(1)).All(pair => pair.First.Page <= pair.Second.Page));

    [Fact]
    public void Without_overlap_the_chunks_are_the_document() => Holds(c =>
    {
        var document = c.Document with { MediaType = "text/plain" };
        return Bare(string.Concat(Chunker.Cut(document, c.Size, 0).Select(chunk => chunk.Text))) == Bare(string.Concat(document.Blocks.Select(Rendered)));
    });

    [Fact]
    public void With_overlap_nothing_is_lost_and_the_order_stays() => Holds(c =>
    {
        var all = Bare(string.Concat(Cut(c).Select(chunk => chunk.Text)));
        var at = 0;
        foreach (var rune in Bare(string.Concat(c.Document.Blocks.Select(Rendered))).EnumerateRunes())
        {
            at = all.IndexOf(rune.ToString(), at, StringComparison.Ordinal) + rune.Utf16SequenceLength;
            if (at < rune.Utf16SequenceLength) return false;
        }
        return true;
    });

    [Fact]
    public void Headings_of_chunks_are_headings_of_the_document_in_order() => Holds(c =>
    {
        var headings = c.Document.Blocks.Where(b => b.Kind == BlockKind.Heading).Select(b => b.Text).ToList();
        var at = 0;
        foreach (var chunk in Cut(c).Where(chunk => chunk.Heading is not null))
        {
            while (at < headings.Count && headings[at] != chunk.Heading) at++;
            if (at == headings.Count) return false;
        }
        return true;
    });

    [Fact]
    public void No_character_is_halved() => Holds(c => Cut(c).All(chunk => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(chunk.Text)) == chunk.Text));

    private static IReadOnlyList<TextChunk> Cut((ExtractedDocument Document, int Size, int Overlap) c) => Chunker.Cut(c.Document, c.Size, c.Overlap);

    private static void Holds(Func<(ExtractedDocument Document, int Size, int Overlap), bool> property) => Prop.ForAll(Case.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    private static string Rendered(DocumentBlock block) => block.Kind == BlockKind.Heading ? new string('#', block.Level) + block.Text : block.Text;

    private static string Bare(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private static string Join(IReadOnlyList<string> words, int breaks) => string.Concat(words.Select((word, i) => i == 0 ? word : (i % breaks == 0 ? "\n" : " ") + word));
}
