namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>Plain text: paragraphs lie between empty lines.</summary>
internal static class TextBlocks
{
    public static void Read(ReadOnlySpan<char> text, BlockSink sink, int? page = null)
    {
        var (start, at) = (0, 0);
        while (at < text.Length && !sink.IsFull)
        {
            var length = text[at..].IndexOf('\n');
            var next = length < 0 ? text.Length : at + length + 1;
            if (text[at..next].IsWhiteSpace())
            {
                sink.Add(BlockKind.Paragraph, text[start..at], page: page);
                start = next;
            }
            at = next;
        }
        sink.Add(BlockKind.Paragraph, text[start..], page: page);
    }
}
