namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>Markdown by its lines: headings, fenced code, tables, lists, paragraphs. What stands within a line stays as it is; models read it well.</summary>
internal ref struct MarkdownBlocks(ReadOnlySpan<char> text, BlockSink sink)
{
    private readonly ReadOnlySpan<char> _text = text;
    private readonly BlockSink _sink = sink;
    private BlockKind _kind = BlockKind.Paragraph;
    private int _start;
    private int _end;

    /// <summary>Adds the blocks; answers the first heading of the first level, which is what the document is called.</summary>
    public static string? Read(ReadOnlySpan<char> text, BlockSink sink) => new MarkdownBlocks(text, sink).Read();

    private string? Read()
    {
        string? title = null;
        ReadOnlySpan<char> fence = default;
        var next = SkipFrontMatter();
        (_start, _end) = (next, next);
        while (next < _text.Length && !_sink.IsFull)
        {
            var at = next;
            var length = _text[at..].IndexOf('\n');
            next = length < 0 ? _text.Length : at + length + 1;
            var line = _text[at..next].TrimEnd();
            var bare = line.TrimStart();
            if (fence.Length > 0)
            {
                _end = next;
                if (!bare.StartsWith(fence) || !bare.TrimStart(fence[0]).IsEmpty) continue;
                fence = default;
                Flush(next);
            }
            else if (FenceOf(bare) is { Length: > 0 } opened)
            {
                Flush(at);
                (_kind, _end) = (BlockKind.Code, next);
                fence = opened;
            }
            else if (HeadingOf(bare, out var level) is { Length: > 0 } heading)
            {
                Flush(at);
                _sink.Add(BlockKind.Heading, heading, level);
                if (level == 1) title ??= heading.ToString();
                (_start, _end) = (next, next);
            }
            else if (bare.IsEmpty)
            {
                // A list goes on behind an empty line; what follows tells.
                if (_kind != BlockKind.List) Flush(next);
            }
            else if (_kind == BlockKind.Paragraph && _end > _start && UnderlineOf(bare) is > 0 and var underlined && !_text[_start.._end].Trim().Contains('\n'))
            {
                var above = _text[_start.._end].Trim();
                if (underlined == 1) title ??= above.ToString();
                _sink.Add(BlockKind.Heading, above, underlined);
                (_start, _end) = (next, next);
            }
            else
            {
                Continue(KindOf(bare), at, next);
            }
        }
        Flush(_text.Length);
        return title;
    }

    private void Continue(BlockKind kind, int at, int next)
    {
        // A line without a mark belongs to the item above it.
        var belongs = kind == _kind || (_kind == BlockKind.List && kind == BlockKind.Paragraph && (_end == at || _text[at] is ' ' or '\t'));
        if (!belongs || _end == _start)
        {
            Flush(at);
            _kind = kind;
        }
        _end = next;
    }

    private void Flush(int next)
    {
        if (_end > _start) _sink.Add(_kind, _kind == BlockKind.Code ? WithoutFence(_text[_start.._end]) : _text[_start.._end]);
        (_start, _end, _kind) = (next, next, BlockKind.Paragraph);
    }

    // What tools keep between two lines of hyphens at the top is about the text.
    private readonly int SkipFrontMatter()
    {
        if (!_text.StartsWith("---\n") && !_text.StartsWith("---\r\n")) return 0;
        var end = _text[3..].IndexOf("\n---");
        if (end is < 0 or > 10_000) return 0;
        var line = _text[(end + 7)..].IndexOf('\n');
        return line < 0 ? _text.Length : end + 7 + line + 1;
    }

    private static ReadOnlySpan<char> WithoutFence(ReadOnlySpan<char> block)
    {
        var line = block.IndexOf('\n');
        if (line < 0 || FenceOf(block.TrimStart()) is not { Length: > 0 } fence) return block;
        var inner = block[(line + 1)..].TrimEnd();
        var last = inner.LastIndexOf('\n');
        return inner[(last + 1)..].Trim().StartsWith(fence) ? inner[..Math.Max(last, 0)] : inner;
    }

    private static ReadOnlySpan<char> FenceOf(ReadOnlySpan<char> line)
    {
        if (line is not (['`', '`', '`', ..] or ['~', '~', '~', ..])) return default;
        return line[..^line.TrimStart(line[0]).Length];
    }

    private static ReadOnlySpan<char> HeadingOf(ReadOnlySpan<char> line, out int level)
    {
        level = line.Length - line.TrimStart('#').Length;
        return level is >= 1 and <= 6 && line.Length > level && line[level] is ' ' or '\t' ? line[level..].Trim().TrimEnd('#').Trim() : default;
    }

    private static int UnderlineOf(ReadOnlySpan<char> line) => line.Length < 2 ? 0 : line.TrimStart('=').IsEmpty ? 1 : line.TrimStart('-').IsEmpty ? 2 : 0;

    private static BlockKind KindOf(ReadOnlySpan<char> line)
    {
        if (line[0] == '|') return BlockKind.Table;
        if (line is ['-' or '*' or '+', ' ' or '\t', ..]) return BlockKind.List;
        var number = line.TrimStart("0123456789");
        if (number.Length < line.Length && line.Length - number.Length <= 9 && number is ['.' or ')', ' ' or '\t', ..]) return BlockKind.List;
        return BlockKind.Paragraph;
    }
}
