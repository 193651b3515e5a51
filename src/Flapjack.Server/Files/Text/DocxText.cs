using System.IO.Compression;
using System.Text;
using System.Xml;

namespace Flapjack.Server.Files.Text;

/// <summary>The text of a Word document: paragraphs, headings, lists and tables in order. Only the part with the text is unpacked, and read as a stream.</summary>
internal sealed class DocxText
{
    /// <summary>What that part may unpack to; a real document of this size has millions of words.</summary>
    private const int UnpackedLimit = 64 * 1024 * 1024;

    private readonly StringBuilder _text = new();
    private int _cells;
    private bool _rowBegun;

    /// <summary>At most so many characters.</summary>
    public static FileText Of(byte[] content, int limit)
    {
        try
        {
            using var zip = new ZipArchive(new MemoryStream(content), ZipArchiveMode.Read);
            if (zip.GetEntry("word/document.xml") is not { } part) return FileText.Without("CORRUPT");
            using var unpacked = new LimitedStream(part.Open(), UnpackedLimit);
            using var xml = XmlReader.Create(unpacked, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return new(new DocxText().Read(xml, limit), null);
        }
        catch (TooComplexException)
        {
            return FileText.Without("TOO_COMPLEX");
        }
        catch (Exception exception) when (exception is InvalidDataException or XmlException)
        {
            return FileText.Without("CORRUPT");
        }
    }

    private string Read(XmlReader xml, int limit)
    {
        var more = xml.Read();
        while (more && _text.Length < limit)
        {
            // A shape stands twice, for new and for old programs.
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "Fallback" or "delText" or "instrText" })
            {
                xml.Skip();
                more = !xml.EOF;
                continue;
            }
            if (xml.NodeType == XmlNodeType.Element) Begin(xml);
            else if (xml.NodeType == XmlNodeType.EndElement) End(xml.LocalName);
            more = xml.Read();
        }
        return _text.ToString(0, Math.Min(limit, _text.Length)).Trim();
    }

    private void Begin(XmlReader xml)
    {
        switch (xml.LocalName)
        {
            case "t" when !xml.IsEmptyElement && xml.Read() && xml.NodeType is XmlNodeType.Text or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace:
                _text.Append(xml.Value);
                break;
            case "pStyle" when Value(xml) is ['H' or 'h', .., >= '1' and <= '9' and var level] style && style.StartsWith("heading", StringComparison.OrdinalIgnoreCase):
                _text.Append('#', level - '0').Append(' ');
                break;
            case "numPr":
                _text.Append("- ");
                break;
            // Tab stops are properties of a paragraph and have a kind; a tab in the text has none.
            case "tab" when Value(xml) is null:
                _text.Append('\t');
                break;
            case "br" or "cr":
                _text.Append(_cells > 0 ? ' ' : '\n');
                break;
            case "tr":
                _rowBegun = false;
                break;
            case "tc":
                _cells++;
                if (_rowBegun) _text.Append('\t');
                _rowBegun = true;
                break;
        }
    }

    private void End(string name)
    {
        switch (name)
        {
            case "p":
                _text.Append(_cells > 0 ? ' ' : '\n');
                break;
            case "tc":
                _cells--;
                while (_text.Length > 0 && _text[^1] == ' ') _text.Length--;
                break;
            case "tr":
                _text.Append('\n');
                break;
        }
    }

    private static string? Value(XmlReader xml) => xml.GetAttribute("val", xml.NamespaceURI);

    /// <summary>Ends the reading of what unpacks to more than it may, whatever the archive claims.</summary>
    private sealed class LimitedStream(Stream inner, long limit) : Stream
    {
        private long _read;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, count);
            return (_read += read) <= limit ? read : throw new TooComplexException();
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class TooComplexException : Exception;
}
