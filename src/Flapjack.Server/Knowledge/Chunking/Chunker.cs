using Flapjack.Server.Knowledge.Extraction;

namespace Flapjack.Server.Knowledge.Chunking;

/// <summary>A piece of a document that is found and shown as one.</summary>
/// <param name="Position">From 0, in reading order.</param>
/// <param name="Text">At most the chunk size by <see cref="TokenEstimate"/>.</param>
/// <param name="Tokens">Of the text, estimated.</param>
/// <param name="Heading">Of the section it begins in.</param>
/// <param name="Page">The page it begins on.</param>
internal sealed record TextChunk(int Position, string Text, int Tokens, string? Heading, int? Page);

/// <summary>Cuts documents into chunks, where their structure allows it.</summary>
internal static class Chunker
{
    public static IReadOnlyList<TextChunk> Cut(ExtractedDocument document, int chunkTokens, int overlapTokens) => [];
}
