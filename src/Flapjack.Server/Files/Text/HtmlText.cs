using System.Collections.Frozen;
using System.Text;
using AngleSharp.Html;
using AngleSharp.Html.Parser;
using AngleSharp.Text;

namespace Flapjack.Server.Files.Text;

/// <summary>The text of a page without scripts and navigation. It is read token by token and no tree is built, so no nesting is too deep for it.</summary>
internal sealed class HtmlText
{
    private static readonly FrozenSet<string> Dropped = FrozenSet.Create(StringComparer.Ordinal, "script", "style", "noscript", "template", "svg", "iframe", "object");
    private static readonly FrozenSet<string> Aside = FrozenSet.Create(StringComparer.Ordinal, "nav", "aside", "footer");

    private static readonly FrozenSet<string> Blocks = FrozenSet.Create(StringComparer.Ordinal,
        "address", "article", "blockquote", "body", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "option", "p", "pre", "section", "table", "title", "tr", "ul");

    private readonly StringBuilder _text = new();
    private readonly bool _withAside;
    private string? _skipping;
    private int _depth;
    private bool _blank = true;
    private bool _verbatim;

    private HtmlText(bool withAside) => _withAside = withAside;

    /// <summary>At most so many characters.</summary>
    public static string Of(string html, int limit)
    {
        var text = new HtmlText(withAside: false).Read(html, limit);
        // A page that is nothing but navigation, or one that never closes it.
        return text.Length > 0 ? text : new HtmlText(withAside: true).Read(html, limit);
    }

    private string Read(string html, int limit)
    {
        using var source = new TextSource(html);
        using var tokens = new HtmlTokenizer(source, HtmlEntityProvider.Resolver) { SkipComments = true };
        while (_text.Length < limit)
        {
            var token = tokens.Get();
            if (token.Type == HtmlTokenType.EndOfFile) break;
            if (token.Type == HtmlTokenType.StartTag) tokens.State = Begin(token.Name);
            else if (token.Type == HtmlTokenType.EndTag) End(token.Name);
            else if (token.Type == HtmlTokenType.Character && _skipping is null) Append(token.Data);
        }
        return _text.ToString(0, Math.Min(limit, _text.Length)).Trim();
    }

    // A tokenizer without a tree has to be told which elements hold no markup.
    private HtmlParseMode Begin(string name)
    {
        if (_skipping is null && (Dropped.Contains(name) || !_withAside && Aside.Contains(name))) _skipping = name;
        if (_skipping == name) _depth++;
        if (_skipping is null)
        {
            if (Blocks.Contains(name)) NewLine();
            if (name is ['h', >= '1' and <= '6']) _text.Append('#', name[1] - '0').Append(' ');
            else if (name == "li") _text.Append("- ");
            else if (name is "td" or "th" && !_blank) _text.Append('\t');
            _verbatim |= name == "pre";
        }
        return name switch
        {
            "script" => HtmlParseMode.Script,
            "style" or "iframe" or "noembed" or "noframes" or "xmp" => HtmlParseMode.Rawtext,
            "title" or "textarea" => HtmlParseMode.RCData,
            _ => HtmlParseMode.PCData,
        };
    }

    private void End(string name)
    {
        if (_skipping is not null)
        {
            if (_skipping == name && --_depth == 0) _skipping = null;
            return;
        }
        if (Blocks.Contains(name)) NewLine();
        if (name == "pre") _verbatim = false;
    }

    private void Append(string text)
    {
        if (_verbatim)
        {
            _text.Append(text);
            _blank = false;
            return;
        }
        foreach (var c in text)
        {
            if (!char.IsWhiteSpace(c)) (_, _blank) = (_text.Append(c == '\0' ? '\uFFFD' : c), false);
            else if (_text.Length > 0 && !char.IsWhiteSpace(_text[^1])) _text.Append(' ');
        }
    }

    private void NewLine()
    {
        while (_text.Length > 0 && _text[^1] == ' ') _text.Length--;
        if (_text.Length > 0 && _text[^1] != '\n') _text.Append('\n');
        _blank = true;
    }
}
