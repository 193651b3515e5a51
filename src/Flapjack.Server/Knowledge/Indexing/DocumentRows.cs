using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>Reads and writes the rows of one document's work, and clears away what is no longer found, in pieces that hold nobody up.</summary>
internal sealed class DocumentRows(IWriter writer, IReader reader)
{
    /// <summary>The bytes.</summary>
    public async Task<byte[]> ContentAsync(Document document, CancellationToken cancellationToken)
    {
        var content = new byte[document.SizeBytes];
        for (var (position, at) = (0, 0); at < content.Length; position++)
        {
            var piece = await reader.ReadAsync(IndexSql.Piece(document.Id, position), static row => row.Bytes(), cancellationToken) ?? throw new WorkLostException();
            piece.CopyTo(content, at);
            at += piece.Length;
        }
        return content;
    }

    /// <summary>A new revision's number.</summary>
    public async Task<long> BeginAsync(Document document) => await WriteAsync(document, [IndexSql.Begin(document.Id)]) ?? throw new WorkLostException();

    /// <summary>Writes a unit if the work is still this node's.</summary>
    public async Task<long?> WriteAsync(Document document, IEnumerable<SqlStatement> statements)
    {
        var result = await writer.WriteAsync([IndexSql.Owned(document.Id, document.Claim), .. statements]);
        return result.Refused ? throw new WorkLostException() : result.Returned;
    }

    /// <summary>Erases revisions of a document that are not the one that is found.</summary>
    public async Task EraseOldAsync(Guid document, long current)
    {
        foreach (var revision in await reader.ReadAllAsync(IndexSql.Stale(document, current), static row => row.Long(), CancellationToken.None)) await EraseRevisionAsync(revision);
    }

    /// <summary>Erases a document that was taken out of sight, or bytes that never became one. Anything else stays.</summary>
    public async Task EraseAsync(Guid document)
    {
        if ((await writer.WriteAsync([DocumentSql.OutOfSight(document)])).Affected[0] == 0) return;
        foreach (var revision in await reader.ReadAllAsync(DocumentSql.Revisions(document), static row => row.Long(), CancellationToken.None)) await EraseRevisionAsync(revision);
        await RepeatAsync(DocumentSql.ErasePieces(document));
        await writer.WriteAsync([DocumentSql.Erase(document)]);
    }

    private async Task EraseRevisionAsync(long revision)
    {
        foreach (var statement in IndexSql.EraseContents(revision)) await RepeatAsync(statement);
        await writer.WriteAsync([IndexSql.EraseRevision(revision)]);
    }

    private async Task RepeatAsync(SqlStatement statement)
    {
        while ((await writer.WriteAsync([statement])).Affected[0] > 0) { }
    }
}

/// <summary>Another node has the work, or the document is gone.</summary>
internal sealed class WorkLostException : Exception;
