namespace Flapjack.Server.Knowledge.Extraction;

internal enum BlockKind
{
    /// <summary>A heading; its level is 1 to 9.</summary>
    Heading,

    Paragraph,

    /// <summary>A list, one item a line, nested ones indented.</summary>
    List,

    /// <summary>A table, one row a line, cells apart by tabs.</summary>
    Table,

    /// <summary>Text whose lines and spaces mean something.</summary>
    Code,

    /// <summary>One record of a list of records: a row of a csv file, an element of a json array. Of csv the first row is the header.</summary>
    Row,
}

/// <summary>A piece of a document that belongs together, in reading order.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, never empty.</param>
/// <param name="Level">Of a heading 1 to 9, of other blocks 0.</param>
/// <param name="Page">From 1, where the format has pages.</param>
internal sealed record DocumentBlock(BlockKind Kind, string Text, int Level = 0, int? Page = null);

/// <summary>What a document says.</summary>
/// <param name="MediaType">By its content.</param>
/// <param name="Title">As the document itself names it.</param>
/// <param name="PageCount">Where the format has pages.</param>
/// <param name="Blocks">In reading order, at least one.</param>
internal sealed record ExtractedDocument(string MediaType, string? Title, int? PageCount, IReadOnlyList<DocumentBlock> Blocks);

/// <summary>A document cannot be read. The code tells why.</summary>
internal sealed class ExtractionException(string code) : Exception(code)
{
    public const string NoText = "NO_TEXT", Encrypted = "ENCRYPTED", Corrupt = "CORRUPT", TooComplex = "TOO_COMPLEX", Unsupported = "UNSUPPORTED";

    public string Code { get; } = code;
}
