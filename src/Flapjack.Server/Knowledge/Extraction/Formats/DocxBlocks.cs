using System.IO.Compression;
using System.Text;
using System.Xml;

namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>A Word document: headings, paragraphs, lists and tables in order. Only the parts that say something are unpacked, and those are read as streams.</summary>
internal sealed class DocxBlocks
{
    /// <summary>What all parts together may unpack to, whatever the archive claims.</summary>
    private const long UnpackedLimit = 200L * 1024 * 1024;

    private readonly StringBuilder _text = new();
    private readonly StringBuilder _list = new();
    private readonly Dictionary<string, int> _headings = new(StringComparer.Ordinal);
    private long _unpacked = UnpackedLimit;
    private int _tables, _level, _item;
    private string? _style;

    /// <summary>As its properties name it.</summary>
    public string? Title { get; private set; }

    public void Read(byte[] content, BlockSink sink)
    {
        using var zip = new ZipArchive(new MemoryStream(content, writable: false), ZipArchiveMode.Read);
        ReadPart(zip, "docProps/core.xml", ReadTitle);
        ReadPart(zip, "word/styles.xml", ReadStyles);
        if (!ReadPart(zip, "word/document.xml", xml => ReadBody(xml, sink))) throw new ExtractionException(ExtractionException.Corrupt);
    }

    private bool ReadPart(ZipArchive zip, string name, Action<XmlReader> read)
    {
        if (zip.GetEntry(name) is not { } part) return false;
        if (part.IsEncrypted) throw new ExtractionException(ExtractionException.Encrypted);
        using var unpacked = new UnpackedStream(part.Open(), read => (_unpacked -= read) >= 0);
        using var xml = XmlReader.Create(unpacked, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
        read(xml);
        return true;
    }

    private void ReadTitle(XmlReader xml)
    {
        while (xml.Read())
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "title", IsEmptyElement: false } && xml.Read() && xml.NodeType == XmlNodeType.Text) Title = xml.Value.Trim() is { Length: > 0 } title ? title : null;
        }
    }

    // Programs in other languages call their headings otherwise; the level of the outline is the same in all.
    private void ReadStyles(XmlReader xml)
    {
        string? style = null;
        while (xml.Read())
        {
            if (xml.NodeType != XmlNodeType.Element) continue;
            if (xml.LocalName == "style") style = xml.GetAttribute("styleId", xml.NamespaceURI);
            else if (style is null) continue;
            else if (xml.LocalName == "outlineLvl" && int.TryParse(Value(xml), out var level) && level is >= 0 and <= 8) _headings[style] = level + 1;
            else if (xml.LocalName == "name" && HeadingLevel(Value(xml)) is > 0 and var named) _headings[style] = named;
        }
    }

    private void ReadBody(XmlReader xml, BlockSink sink)
    {
        var more = xml.Read();
        while (more && !sink.IsFull)
        {
            // A shape stands twice, for new and for old programs.
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "Fallback" or "delText" or "instrText" or "del" or "moveFrom" })
            {
                xml.Skip();
                more = !xml.EOF;
                continue;
            }
            if (xml.NodeType == XmlNodeType.Element) Begin(xml, sink);
            else if (xml.NodeType == XmlNodeType.EndElement) End(xml.LocalName, sink);
            more = xml.Read();
        }
        EndParagraph(sink);
        EndList(sink);
    }

    private void Begin(XmlReader xml, BlockSink sink)
    {
        switch (xml.LocalName)
        {
            case "t" when !xml.IsEmptyElement && xml.Read() && xml.NodeType is XmlNodeType.Text or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace:
                _text.Append(_tables > 0 ? xml.Value.ReplaceLineEndings(" ") : xml.Value);
                break;
            case "pStyle":
                _style = Value(xml);
                break;
            case "outlineLvl" when int.TryParse(Value(xml), out var level) && level is >= 0 and <= 8:
                _level = level + 1;
                break;
            case "numPr":
                _item = Math.Max(_item, 1);
                break;
            case "ilvl" when int.TryParse(Value(xml), out var depth):
                _item = Math.Clamp(depth, 0, 8) + 1;
                break;
            case "numId" when Value(xml) == "0":
                _item = 0;
                break;
            // Tab stops are properties of a paragraph and have a kind; a tab in the text has none.
            case "tab" when Value(xml) is null:
                _text.Append(_tables > 0 ? ' ' : '\t');
                break;
            case "br" or "cr":
                _text.Append(_tables > 0 ? ' ' : '\n');
                break;
            case "noBreakHyphen":
                _text.Append('-');
                break;
            case "tbl":
                if (_tables++ == 0) EndList(sink);
                break;
        }
    }

    private void End(string name, BlockSink sink)
    {
        switch (name)
        {
            case "p" when _tables > 0:
                _text.Append(' ');
                (_style, _level, _item) = (null, 0, 0);
                break;
            case "p":
                EndParagraph(sink);
                break;
            case "tc" when _tables == 1:
                TrimSpaces();
                _text.Append('\t');
                break;
            case "tr" when _tables == 1:
                while (_text.Length > 0 && _text[^1] == '\t') _text.Length--;
                _text.Append('\n');
                break;
            case "tbl" when --_tables == 0:
                sink.Add(BlockKind.Table, _text.ToString());
                _text.Clear();
                break;
        }
    }

    private void EndParagraph(BlockSink sink)
    {
        var level = _level > 0 ? _level : LevelOf(_style);
        if (level == 0 && _item > 0 && _text.Length > 0)
        {
            if (_list.Length > 0) _list.Append('\n');
            _list.Append(' ', 2 * (_item - 1)).Append("- ").Append(_text.Replace('\n', ' '));
        }
        else if (_text.Length > 0)
        {
            EndList(sink);
            sink.Add(level > 0 ? BlockKind.Heading : BlockKind.Paragraph, _text.ToString(), level);
        }
        _text.Clear();
        (_style, _level, _item) = (null, 0, 0);
    }

    private void EndList(BlockSink sink)
    {
        sink.Add(BlockKind.List, _list.ToString());
        _list.Clear();
    }

    private int LevelOf(string? style) => style is null ? 0 : _headings.TryGetValue(style, out var level) ? level : style.Equals("Title", StringComparison.OrdinalIgnoreCase) ? 1 : HeadingLevel(style);

    private static int HeadingLevel(string? name) =>
        name is [.., >= '1' and <= '9' and var level] && name.AsSpan(0, name.Length - 1).Trim().Equals("heading", StringComparison.OrdinalIgnoreCase) ? level - '0' : 0;

    private void TrimSpaces()
    {
        while (_text.Length > 0 && _text[^1] == ' ') _text.Length--;
    }

    private static string? Value(XmlReader xml) => xml.GetAttribute("val", xml.NamespaceURI);
}
