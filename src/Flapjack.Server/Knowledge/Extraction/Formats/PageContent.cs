using AngleSharp.Html.Parser.Tokens;

namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>The parts of a page that a block stands in.</summary>
[Flags]
internal enum PageRegions
{
    None = 0,
    Main = 1,
    Article = 2,

    /// <summary>Navigation, margins, the foot, what is hidden.</summary>
    Aside = 4,

    /// <summary>The head of the page, not that of an article.</summary>
    Header = 8,

    Link = 16,
}

/// <summary>A block of a page and where it stood.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text.</param>
/// <param name="Level">Of a heading.</param>
/// <param name="Regions">Where it begins.</param>
/// <param name="LinkCharacters">How much of it is links.</param>
internal sealed record PageBlock(BlockKind Kind, string Text, int Level, PageRegions Regions, int LinkCharacters)
{
    public bool IsAside => (Regions & PageRegions.Aside) != 0 || ((Regions & PageRegions.Header) != 0 && Kind != BlockKind.Heading);

    /// <summary>A list of links or a line of them: it leads elsewhere and says nothing here.</summary>
    public bool IsDirectory => LinkCharacters > 20 && LinkCharacters * 10 > Text.Length * 7 && Kind != BlockKind.Heading;
}

/// <summary>Chooses what a page is about.</summary>
internal static class PageContent
{
    /// <summary>So much text is a content; less is a slogan, and the content is elsewhere.</summary>
    private const int Enough = 200;

    /// <summary>The marked main part, else the articles, else everything but navigation, margins and lists of links; everything, when that would be nothing.</summary>
    public static void Choose(IReadOnlyList<PageBlock> blocks, BlockSink sink)
    {
        var body = blocks.Where(b => !b.IsAside).ToList();
        var chosen = Part(body, PageRegions.Main) ?? Part(body, PageRegions.Article) ?? body.Where(b => !b.IsDirectory).ToList();
        if (chosen.Count == 0) chosen = body.Count > 0 ? body : [.. blocks];
        foreach (var block in chosen) sink.Add(block.Kind, block.Text, block.Level);
    }

    public static PageRegions RegionOf(HtmlTagToken tag, PageRegions outer)
    {
        if (Has(tag, "hidden")) return PageRegions.Aside;
        return (tag.Name, tag.GetAttribute("role")) switch
        {
            (_, "main") => PageRegions.Main,
            (_, "article") => PageRegions.Article,
            (_, "navigation" or "contentinfo" or "complementary" or "search" or "dialog" or "menu") => PageRegions.Aside,
            (_, "banner") => PageRegions.Header,
            ("main", _) => PageRegions.Main,
            ("article", _) => PageRegions.Article,
            ("nav" or "aside" or "footer" or "dialog", _) => PageRegions.Aside,
            ("header", _) when (outer & (PageRegions.Main | PageRegions.Article)) == 0 => PageRegions.Header,
            _ => PageRegions.None,
        };
    }

    private static List<PageBlock>? Part(List<PageBlock> body, PageRegions region)
    {
        var part = body.Where(b => (b.Regions & region) != 0).ToList();
        var (inPart, inBody) = (part.Sum(b => (long)b.Text.Length), body.Sum(b => (long)b.Text.Length));
        return inPart >= Enough || inPart * 2 > inBody ? part : null;
    }

    private static bool Has(HtmlTagToken tag, string name) => tag.Attributes.Any(a => a.Name == name);
}
