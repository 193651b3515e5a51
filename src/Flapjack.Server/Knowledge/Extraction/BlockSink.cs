namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>Takes the blocks of a document as they are found, in pieces of a size that later steps can hold, up to what a document may have.</summary>
internal sealed class BlockSink(Action<DocumentBlock> emit, int limit, bool stopsAtLimit)
{
    /// <summary>What a document may have; a file of text as large as any that is taken has no more.</summary>
    public const int MaxCharacters = 26_000_000;

    /// <summary>What a block may have. A paragraph of ten pages is none.</summary>
    public const int MaxBlock = 32_000;

    private int _characters;

    /// <summary>What is still to come is not wanted.</summary>
    public bool IsFull => stopsAtLimit && _characters >= limit;

    public bool IsEmpty => _characters == 0;

    /// <summary>Adds a block unless it says nothing. One that is too large becomes several of the same kind.</summary>
    public void Add(BlockKind kind, ReadOnlySpan<char> text, int level = 0, int? page = null)
    {
        text = kind is BlockKind.Code or BlockKind.List ? TrimLines(text) : text.Trim();
        while (text.Length > 0 && !IsFull)
        {
            var length = text.Length <= MaxBlock ? text.Length : Cut(text[..MaxBlock]);
            Emit(new(kind, text[..length].TrimEnd().ToString(), level, page));
            text = kind == BlockKind.Code ? text[length..].TrimStart("\r\n") : text[length..].TrimStart();
        }
    }

    private void Emit(DocumentBlock block)
    {
        if (block.Text.Length == 0) return;
        if ((_characters += block.Text.Length) > limit && !stopsAtLimit) throw new ExtractionException(ExtractionException.TooComplex);
        emit(block);
    }

    // The indentation of the first line belongs to it, empty lines before it do not.
    private static ReadOnlySpan<char> TrimLines(ReadOnlySpan<char> text)
    {
        text = text.TrimEnd();
        while (text.IndexOf('\n') is >= 0 and var end && text[..end].IsWhiteSpace()) text = text[(end + 1)..];
        return text;
    }

    private static int Cut(ReadOnlySpan<char> text)
    {
        if (text.LastIndexOf('\n') is > 0 and var line) return line;
        if (text.LastIndexOfAny(' ', '\t') is > 0 and var space) return space;
        return char.IsHighSurrogate(text[^1]) ? text.Length - 1 : text.Length;
    }
}
