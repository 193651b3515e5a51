using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge;

/// <summary>Deletes documents: in one step they are out of sight, with everything that could be found of them; then their rows go, a few at a time, before anybody is answered. What a crash leaves goes with housekeeping.</summary>
internal sealed class DocumentErasure(IWriter writer, DocumentRows rows)
{
    /// <summary>404 when there is none.</summary>
    public async Task DeleteAsync(Guid orgId, Guid id)
    {
        if ((await writer.WriteAsync(DocumentSql.Hide(id, orgId))).Refused) throw ApiException.NotFound("Document");
        await rows.EraseAsync(id);
    }

    /// <summary>Drops bytes that never became a document; what did stays.</summary>
    public Task DropAsync(Guid id) => rows.EraseAsync(id);
}
