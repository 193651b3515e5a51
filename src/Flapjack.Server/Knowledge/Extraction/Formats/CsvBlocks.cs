using System.Text;

namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>Rows of a csv file, the header first. Quotes may hold separators and line ends; the separator is the one the first line has most of.</summary>
internal sealed class CsvBlocks
{
    private readonly StringBuilder _row = new();
    private bool _hasText;

    public static void Read(ReadOnlySpan<char> text, BlockSink sink) => new CsvBlocks().ReadRows(text, SeparatorOf(text), sink);

    private void ReadRows(ReadOnlySpan<char> text, char separator, BlockSink sink)
    {
        var (quoted, begins) = (false, true);
        for (var i = 0; i < text.Length && !sink.IsFull; i++)
        {
            var c = text[i];
            if (quoted)
            {
                if (c != '"') Append(c);
                else if (i + 1 < text.Length && text[i + 1] == '"') Append(text[i++]);
                else quoted = false;
            }
            else if (c == '"' && begins) (quoted, begins) = (true, false);
            else if (c == separator) (_, begins) = (_row.Append('\t'), true);
            else if (c is '\n' or '\r') begins = EndRow(sink);
            else (begins, _) = (begins && c == ' ', Append(c));
        }
        EndRow(sink);
    }

    private bool Append(char c)
    {
        // A cell is one line of one column.
        _row.Append(char.IsControl(c) ? ' ' : c);
        _hasText |= !char.IsWhiteSpace(c);
        return true;
    }

    private bool EndRow(BlockSink sink)
    {
        // Empty cells at the end say nothing and make broad sheets long.
        if (_hasText) sink.Add(BlockKind.Row, _row.ToString().AsSpan().TrimEnd('\t'));
        _row.Clear();
        _hasText = false;
        return true;
    }

    private static char SeparatorOf(ReadOnlySpan<char> text)
    {
        var line = text[..Math.Min(text.Length, 10_000)].TrimStart("\r\n");
        if (line.IndexOfAny('\r', '\n') is >= 0 and var end) line = line[..end];
        var (best, most) = (',', 0);
        foreach (var candidate in (ReadOnlySpan<char>)[',', ';', '\t', '|'])
        {
            if (line.Count(candidate) is var count && count > most) (best, most) = (candidate, count);
        }
        return best;
    }
}
