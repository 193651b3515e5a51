using System.Text;
using Flapjack.Server.Files;
using Flapjack.Server.Knowledge.Extraction;

namespace Flapjack.Server.Knowledge.Chunking;

/// <summary>A piece of a document that is found and shown as one.</summary>
/// <param name="Position">From 0, in reading order.</param>
/// <param name="Text">Within the chunk size by <see cref="TokenEstimate"/>.</param>
/// <param name="Tokens">Of the text, estimated.</param>
/// <param name="Heading">Of the section it begins in.</param>
/// <param name="Page">The page it begins on, without what it repeats of the chunk before.</param>
internal sealed record TextChunk(int Position, string Text, int Tokens, string? Heading, int? Page);

/// <summary>Cuts documents into chunks, where their structure allows it.</summary>
/// <remarks>
/// <para>1. A section that fits goes into one chunk; so do several, as long as they stand under the parent heading of the first. A heading is not left alone at the end of a chunk.</para>
/// <para>2. A larger section is cut between blocks. A block is cut only when it alone is larger than a chunk, or stands behind nothing but headings: tables and lists between lines, code between lines, paragraphs between sentences; then between words, at last anywhere.</para>
/// <para>3. A chunk within a section begins with the last sentences of the one before, where that was prose. Rows of a csv file begin with its header instead.</para>
/// </remarks>
internal sealed class Chunker
{
    private const int SmallestChunk = 16;
    private readonly List<TextChunk> _chunks = [];
    private readonly StringBuilder _text = new();
    private readonly int _limit, _overlap;
    private string? _header;

    // The sections that are open here, and the one the chunk begins in.
    private Section _section = Section.Document, _first = Section.Document;
    private int? _page;
    private int _quarters;

    // What the chunk repeats; where its last heading ends; whether there is anything but repetition, and anything but headings.
    private int _repeated, _bodyStart;
    private bool _hasNew, _hasBody;
    private BlockKind _last;

    private Chunker(int chunkTokens, int overlapTokens) => (_limit, _overlap) = (Math.Max(chunkTokens, SmallestChunk) * 4, Math.Clamp(overlapTokens, 0, Math.Max(chunkTokens, SmallestChunk) / 2) * 4);

    /// <summary>The chunks of a document, in reading order. Nothing of its text is left out, but white space where it is cut.</summary>
    public static IReadOnlyList<TextChunk> Cut(ExtractedDocument document, int chunkTokens, int overlapTokens)
    {
        var chunker = new Chunker(chunkTokens, overlapTokens);
        foreach (var section in Sections(document.Blocks)) chunker.Add(section, document.MediaType == FileTypes.Csv);
        chunker.End();
        return chunker._chunks;
    }

    // A section is its heading and what follows up to the next one, whatever its level.
    private static IEnumerable<Section> Sections(IReadOnlyList<DocumentBlock> blocks)
    {
        var section = new Section(null, 0, Section.Document, []);
        foreach (var block in blocks)
        {
            if (block.Kind == BlockKind.Heading)
            {
                if (section.Blocks.Count > 0) yield return section;
                var parent = section;
                while (parent.Level >= Math.Max(block.Level, 1)) parent = parent.Parent!;
                section = new(block.Text, Math.Max(block.Level, 1), parent.Level == 0 ? Section.Document : parent, []);
            }
            section.Blocks.Add(block);
        }
        if (section.Blocks.Count > 0) yield return section;
    }

    private void Add(Section section, bool isCsv)
    {
        var joins = !_hasNew || section.IsUnder(_first.Parent) && (!_hasBody || section.Quarters <= _limit - _quarters);
        if (!joins) End();
        _section = section;
        foreach (var block in section.Blocks)
        {
            if (isCsv && _header is null && block.Kind == BlockKind.Row) _header = TokenEstimate.Quarters(block.Text) * 2 <= _limit ? block.Text + "\n" : "";
            Add(block);
        }
    }

    private void Add(DocumentBlock block)
    {
        var text = block.Kind == BlockKind.Heading ? new string('#', Math.Clamp(block.Level, 1, 6)) + " " + block.Text : block.Text;
        var rest = text.AsSpan();
        var isContinued = false;
        while (rest.Length > 0)
        {
            var glue = _text.Length == 0 || _text[^1] == '\n' ? "" : isContinued ? block.Kind == BlockKind.Paragraph ? " " : "\n" : block.Kind == BlockKind.Row && _last == BlockKind.Row ? "\n" : "\n\n";
            var (needed, room) = (TokenEstimate.Quarters(rest), _limit - _quarters - glue.Length);
            if (needed <= room)
            {
                Append(glue, rest, block);
                return;
            }
            if (_hasBody && needed <= _limit)
            {
                Next(block.Kind, needed);
                continue;
            }
            var length = Boundary.Of(rest, TokenEstimate.Fitting(rest, room), block.Kind, anywhere: !_hasBody && _repeated == 0 && room >= _limit / 4);
            if (length == 0)
            {
                // It may be cut better at the beginning of a chunk, or without what is repeated there.
                if (_hasNew) Next(block.Kind, 0);
                else Forget();
                continue;
            }
            Append(glue, rest[..length].TrimEnd(), block);
            rest = block.Kind == BlockKind.Paragraph ? rest[length..].TrimStart() : rest[length..].TrimStart("\r\n");
            isContinued = true;
            if (rest.Length > 0) Next(block.Kind, 0);
        }
    }

    private void Append(string glue, ReadOnlySpan<char> text, DocumentBlock block)
    {
        if (!_hasNew) (_first, _page) = (_section, block.Page);
        _text.Append(glue).Append(text);
        _quarters += glue.Length + TokenEstimate.Quarters(text);
        (_hasNew, _last) = (true, block.Kind);
        if (block.Kind == BlockKind.Heading) _bodyStart = _text.Length;
        else _hasBody = true;
    }

    /// <summary>Ends the chunk and begins another of the same section.</summary>
    private void Next(BlockKind kind, int needed)
    {
        var isProse = kind is BlockKind.Paragraph or BlockKind.List && _last is BlockKind.Paragraph or BlockKind.List && _hasBody;
        var repeated = kind == BlockKind.Row ? _header ?? "" : isProse ? Boundary.Tail(_text.ToString(_bodyStart, _text.Length - _bodyStart), _overlap) : "";
        End();
        if (TokenEstimate.Quarters(repeated) + 2 + needed > _limit) return;
        _text.Append(repeated);
        _quarters = TokenEstimate.Quarters(repeated);
        _repeated = _text.Length;
    }

    private void End()
    {
        if (_hasNew && _text.ToString().TrimEnd() is { Length: > 0 } text) _chunks.Add(new(_chunks.Count, text, TokenEstimate.Of(text), _first.Heading, _page));
        Forget();
        (_first, _hasNew, _hasBody, _page) = (Section.Document, false, false, null);
    }

    private void Forget()
    {
        _text.Clear();
        (_quarters, _repeated, _bodyStart) = (0, 0, 0);
    }

    private sealed class Section(string? heading, int level, Section? parent, List<DocumentBlock> blocks)
    {
        public string? Heading => heading;

        public int Level => level;

        public Section? Parent => parent;

        public List<DocumentBlock> Blocks => blocks;

        /// <summary>Of all that has no heading above it.</summary>
        public static readonly Section Document = new(null, 0, null, []);

        /// <summary>Of its text with what goes between its blocks.</summary>
        public int Quarters => Blocks.Sum(b => TokenEstimate.Quarters(b.Text) + 3 + b.Level);

        public bool IsUnder(Section? parent)
        {
            for (var above = Parent; above is not null; above = above.Parent)
            {
                if (ReferenceEquals(above, parent)) return true;
            }
            return false;
        }
    }
}
