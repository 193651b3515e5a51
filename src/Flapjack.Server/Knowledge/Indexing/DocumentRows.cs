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
            var piece = await PieceAsync(document, position, cancellationToken) ?? throw new WorkLostException();
            piece.CopyTo(content, at);
            at += piece.Length;
        }
        return content;
    }

    /// <summary>A piece of the bytes; null when the document has others by now, or is gone.</summary>
    public ValueTask<byte[]?> PieceAsync(Document document, int position, CancellationToken cancellationToken) =>
        reader.ReadAsync(IndexSql.Piece(document.Id, position, document.Sha256), static row => row.Bytes(), cancellationToken);

    /// <summary>A new revision's number.</summary>
    public async Task<long> BeginAsync(Document document) => await WriteAsync(document, [IndexSql.Begin(document.Id)]) ?? throw new WorkLostException();

    /// <summary>Writes a unit if the work is still this node's.</summary>
    public async Task<long?> WriteAsync(Document document, IEnumerable<SqlStatement> statements)
    {
        var result = await writer.WriteAsync([IndexSql.Owned(document.Id, document.Claim), .. statements]);
        return result.Refused ? throw new WorkLostException() : result.Returned;
    }

    /// <summary>Erases the revisions before the one that was published. A later one belongs to whoever reads the document now.</summary>
    public async Task EraseOlderAsync(Guid document, long published)
    {
        foreach (var revision in await reader.ReadAllAsync(IndexSql.Older(document, published), static row => row.Long(), CancellationToken.None)) await EraseRevisionAsync(revision);
    }

    /// <summary>Erases every revision but the one that is found, while the work is still this node's.</summary>
    public async Task EraseFailedAsync(Document document)
    {
        foreach (var revision in await reader.ReadAllAsync(IndexSql.Others(document.Id, document.Revision ?? 0), static row => row.Long(), CancellationToken.None)) await EraseRevisionAsync(revision, document);
    }

    /// <summary>Erases a document that was taken out of sight, or bytes that never became one. Anything else stays.</summary>
    public async Task EraseAsync(Guid document)
    {
        if ((await writer.WriteAsync([DocumentSql.OutOfSight(document)])).Affected[0] == 0) return;
        foreach (var revision in await reader.ReadAllAsync(DocumentSql.Revisions(document), static row => row.Long(), CancellationToken.None)) await EraseRevisionAsync(revision);
        await RepeatAsync(DocumentSql.ErasePieces(document));
        await writer.WriteAsync([DocumentSql.Erase(document)]);
    }

    private async Task EraseRevisionAsync(long revision, Document? owned = null)
    {
        foreach (var statement in IndexSql.EraseContents(revision)) await RepeatAsync(statement, owned);
        await EraseSomeAsync(IndexSql.EraseRevision(revision), owned);
    }

    private async Task RepeatAsync(SqlStatement statement, Document? owned = null)
    {
        while (await EraseSomeAsync(statement, owned) > 0) { }
    }

    private async Task<int> EraseSomeAsync(SqlStatement statement, Document? owned)
    {
        var result = await writer.WriteAsync(owned is null ? [statement] : [IndexSql.Owned(owned.Id, owned.Claim), statement]);
        return result.Refused ? throw new WorkLostException() : result.Affected[^1];
    }
}

/// <summary>Another node has the work, or the document is gone.</summary>
internal sealed class WorkLostException : Exception;
