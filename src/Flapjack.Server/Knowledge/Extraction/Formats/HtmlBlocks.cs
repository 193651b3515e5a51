using System.Collections.Frozen;
using System.Text;
using AngleSharp.Html;
using AngleSharp.Html.Parser;
using AngleSharp.Html.Parser.Tokens;
using AngleSharp.Text;

namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>A page of the web, read token by token: no tree is built, so no nesting is too deep for it and its time grows with the page.</summary>
/// <remarks>Every block notes in which parts of the page it stood and how much of it is links; <see cref="PageContent"/> then chooses what the page is about.</remarks>
internal sealed class HtmlBlocks
{
    private const int MaxLinks = 10_000, MaxAddress = 2_000;

    /// <summary>How far an end tag looks for its beginning. What is not closed properly is closed by something soon.</summary>
    private const int Reach = 256;

    private static readonly FrozenSet<string> Dropped = FrozenSet.Create(StringComparer.Ordinal,
        "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video", "select", "textarea", "button", "noembed", "noframes");

    private static readonly FrozenSet<string> Void = FrozenSet.Create(StringComparer.Ordinal,
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr");

    private static readonly FrozenSet<string> Blocks = FrozenSet.Create(StringComparer.Ordinal,
        "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "title", "ul");

    private readonly List<Open> _open = [];
    private readonly List<PageBlock> _found = [];
    private readonly OrderedDictionary<string, bool> _links = [];
    private readonly StringBuilder _text = new();
    private string? _skipping;
    private int _skipDepth;

    // The element whose whole content is one block: a heading, a list, a table, verbatim text. -1 outside of one.
    private int _whole = -1;
    private BlockKind _kind = BlockKind.Paragraph;
    private PageRegions _regions;
    private int _level, _linked;

    /// <summary>As the page names itself.</summary>
    public string? Title { get; private set; }

    /// <summary>What relative addresses are relative to, when the page says so.</summary>
    public string? Base { get; private set; }

    /// <summary>Addresses as the page spells them, in order, each once.</summary>
    public IEnumerable<string> Links => _links.Keys;

    private Open Inner => _open.Count > 0 ? _open[^1] : default;

    public void Read(string html, BlockSink sink)
    {
        using var source = new TextSource(html);
        using var tokens = new HtmlTokenizer(source, HtmlEntityProvider.Resolver) { SkipComments = true };
        for (var token = tokens.Get(); token.Type != HtmlTokenType.EndOfFile; token = tokens.Get())
        {
            if (token.Type == HtmlTokenType.StartTag) tokens.State = Begin((HtmlTagToken)token);
            else if (token.Type == HtmlTokenType.EndTag) End(token.Name);
            else if (token.Type == HtmlTokenType.Character && _skipping is null) Append(token.Data);
        }
        Flush();
        PageContent.Choose(_found, sink);
    }

    // A tokenizer without a tree has to be told which elements hold no markup.
    private HtmlParseMode Begin(HtmlTagToken tag)
    {
        var name = tag.Name;
        if (_skipping is null && Dropped.Contains(name)) _skipping = name;
        if (_skipping == name && !(tag.IsSelfClosing && name is "svg" or "math")) _skipDepth++;
        if (_skipDepth == 0) _skipping = null;
        if (_skipping is null) BeginRead(tag, name);
        return name switch
        {
            "script" => HtmlParseMode.Script,
            "style" or "iframe" or "noembed" or "noframes" or "xmp" => HtmlParseMode.Rawtext,
            "title" or "textarea" => HtmlParseMode.RCData,
            _ => HtmlParseMode.PCData,
        };
    }

    private void BeginRead(HtmlTagToken tag, string name)
    {
        // Items, rows and cells are often left open; the next one ends them. Paragraphs end where any block begins.
        if (name is "li" or "tr" or "td" or "th" or "dt" or "dd" && Inner.Name == name || Inner.Name == "p" && Blocks.Contains(name)) Close(_open.Count - 1);
        if (_whole >= 0) Within(name);
        else if (name == "br") _text.Append('\n');
        else if (Blocks.Contains(name)) Flush();
        if (name == "base") Base ??= Address(tag);
        if (Void.Contains(name)) return;
        var outer = Inner;
        var inner = new Open(name, outer.Regions | PageContent.RegionOf(tag, outer.Regions), outer.Lists + (name is "ul" or "ol" or "menu" ? 1 : 0));
        if (name == "a" && Address(tag) is { } address)
        {
            inner = inner with { Regions = inner.Regions | PageRegions.Link };
            if (_links.Count < MaxLinks) _links.TryAdd(address, true);
        }
        _open.Add(inner);
        if (_whole < 0 && WholeOf(name) is { } kind) (_whole, _kind, _level) = (_open.Count - 1, kind, kind == BlockKind.Heading && name != "title" ? name[1] - '0' : 0);
    }

    private static BlockKind? WholeOf(string name) => name switch
    {
        "h1" or "h2" or "h3" or "h4" or "h5" or "h6" or "title" => BlockKind.Heading,
        "ul" or "ol" or "menu" => BlockKind.List,
        "table" => BlockKind.Table,
        "pre" => BlockKind.Code,
        _ => null,
    };

    // What stands in a block of its own is laid out in lines.
    private void Within(string name)
    {
        if (_kind == BlockKind.Code && name != "br") return;
        switch (name)
        {
            case "li" when _kind == BlockKind.List:
                NewLine();
                _text.Append(' ', 2 * Math.Clamp(Inner.Lists - 1, 0, 20)).Append("- ");
                break;
            case "tr" when _kind == BlockKind.Table:
            case "br" when _kind == BlockKind.Code:
                NewLine();
                break;
            case "td" or "th" when _kind == BlockKind.Table && _text.Length > 0 && _text[^1] != '\n':
                TrimSpaces();
                _text.Append('\t');
                break;
            case "br" or "p" or "div":
                Append(" ");
                break;
        }
    }

    private void End(string name)
    {
        if (_skipping is not null)
        {
            if (_skipping == name && --_skipDepth == 0) _skipping = null;
            return;
        }
        var last = Math.Max(0, _open.Count - Reach);
        for (var i = _open.Count - 1; i >= last; i--)
        {
            if (_open[i].Name != name) continue;
            Close(i);
            break;
        }
        if (_whole < 0 && Blocks.Contains(name)) Flush();
        else if (_whole >= 0 && name is "p" or "div") Append(" ");
    }

    // Whatever was left open within goes with it.
    private void Close(int index)
    {
        if (index <= _whole)
        {
            Flush();
            _whole = -1;
            _kind = BlockKind.Paragraph;
        }
        _open.RemoveRange(index, _open.Count - index);
    }

    private void Append(string text)
    {
        if (_kind == BlockKind.Code)
        {
            if (_text.Length == 0) _regions = Inner.Regions;
            _text.Append(text.Replace('\0', '\uFFFD'));
            return;
        }
        var isLink = (Inner.Regions & PageRegions.Link) != 0;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                if (_text.Length > 0 && !char.IsWhiteSpace(_text[^1])) _text.Append(' ');
                continue;
            }
            if (_text.Length == 0) _regions = Inner.Regions;
            _text.Append(c == '\0' ? '\uFFFD' : c);
            if (isLink) _linked++;
        }
    }

    private void NewLine()
    {
        TrimSpaces();
        if (_text.Length == 0) _regions = Inner.Regions;
        else if (_text[^1] != '\n') _text.Append('\n');
    }

    private void TrimSpaces()
    {
        while (_text.Length > 0 && _text[^1] == ' ') _text.Length--;
    }

    private void Flush()
    {
        // A list of pictures has nothing but the marks of its items.
        if (_text.Length > 0 && _text.ToString() is var text && text.AsSpan().ContainsAnyExcept(" \t\n-"))
        {
            if (_whole >= 0 && _open[_whole].Name == "title") Title ??= text.Trim();
            else _found.Add(new(_kind, text, _level, _regions, _linked));
        }
        _text.Clear();
        _linked = 0;
        if (_whole < 0) _level = 0;
    }

    private static string? Address(HtmlTagToken tag) => tag.GetAttribute("href").Trim() is { Length: > 0 and <= MaxAddress } href ? href : null;

    private readonly record struct Open(string Name, PageRegions Regions, int Lists);
}
