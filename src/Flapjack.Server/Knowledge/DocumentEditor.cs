using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Knowledge.Intake;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge;

/// <summary>Changes documents.</summary>
internal sealed class DocumentEditor(FlapjackDb db, IWriter writer, IndexQueue queue, TimeProvider time)
{
    public async Task ChangeAsync(Document document, DocumentPatchRequest request, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        if (request.Title.IsSet) errors.Required("title", request.Title.Value, Document.MaxTitle);
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        DocumentTexts.CheckRefresh(errors, request.RefreshHours.Value);
        if (request.RefreshHours.Value is not null && document.Address is null) errors.Add("refreshHours", "is for documents that came from an address");
        errors.ThrowIfAny();
        var now = time.Now();
        var hours = request.RefreshHours.IsSet ? request.RefreshHours.Value : document.RefreshHours;
        var due = !request.RefreshHours.IsSet ? document.FetchDueAt : PageFetch.DueAt(hours, document.LastFetchedAt ?? now);
        var (title, titled) = request.Title.IsSet ? (request.Title.Value!, true) : (document.Title, document.Titled);
        var metadata = request.Metadata.IsSet ? DocumentTexts.TextOf(request.Metadata.Value) : document.Metadata;
        await db.Documents.Where(d => d.Id == document.Id && d.Status != DocumentStatuses.Deleted).ExecuteUpdateAsync(rows => rows
            .SetProperty(d => d.Title, title).SetProperty(d => d.Titled, titled).SetProperty(d => d.Metadata, metadata)
            .SetProperty(d => d.RefreshHours, hours).SetProperty(d => d.FetchDueAt, due).SetProperty(d => d.UpdatedAt, now), cancellationToken);
    }

    /// <summary>Queues a document to be read anew; what comes from an address is fetched before.</summary>
    public async Task<Document> ReindexAsync(Document document, CancellationToken cancellationToken)
    {
        var work = document.Address is null ? DocumentWork.Index : DocumentWork.Fetch;
        if ((await writer.WriteAsync(DocumentSql.Requeue(document.Id, document.OrgId, work, shows: true, time.Now()), CancellationToken.None)).Refused) throw ApiException.NotFound("Document");
        // Read before anybody can be done with it.
        var queued = await db.Documents.AsNoTracking().FirstAsync(d => d.Id == document.Id, cancellationToken);
        queue.Wake();
        return queued;
    }
}
