using System.Globalization;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Knowledge.Intake;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Knowledge;

internal static class DocumentEndpoints
{
    private const int PageDefault = 50, PageLargest = 200;

    public static void Map(IEndpointRouteBuilder app)
    {
        var knowledge = app.MapGroup("/api/knowledge").WithTags("knowledge");
        knowledge.MapPost("/upload", Upload).WithName("uploadDocument").From("doc").Access(Scopes.KnowledgeWrite, Role.Member).WithMetadata(new BodyLimit(DocumentIntake.MaxBytes + FormBody<DocumentUploadRequest>.Overhead));
        knowledge.MapPost("/url", AddUrl).WithName("addDocumentUrl").From("ext").Access(Scopes.KnowledgeWrite, Role.Member);
        knowledge.MapPost("/text", AddText).WithName("addDocumentText").From("ext").Access(Scopes.KnowledgeWrite, Role.Member).WithMetadata(new BodyLimit(BodyLimit.Messages));
        knowledge.MapGet("", List).WithName("listDocuments").From("doc").Access(Scopes.KnowledgeRead).Demo(DemoWorld.Documents);
        knowledge.MapGet("/{docId:guid}", Get).WithName("getDocument").From("ext").Access(Scopes.KnowledgeRead).Demo(DemoWorld.NotFound);
        knowledge.MapPatch("/{docId:guid}", Patch).WithName("updateDocument").From("ext").Access(Scopes.KnowledgeWrite, Role.Member);
        knowledge.MapDelete("/{docId:guid}", Delete).WithName("deleteDocument").From("doc").Access(Scopes.KnowledgeWrite, Role.Member);
        knowledge.MapGet("/{docId:guid}/chunks", Chunks).WithName("listDocumentChunks").From("ext").Access(Scopes.KnowledgeRead).Demo(DemoWorld.NotFound);
        knowledge.MapGet("/{docId:guid}/content", Content).WithName("getDocumentContent").From("ext").Access(Scopes.KnowledgeRead).Produces(200, contentType: "application/octet-stream");
        knowledge.MapPost("/{docId:guid}/reindex", Reindex).WithName("reindexDocument").From("ext").Access(Scopes.KnowledgeWrite, Role.Member);
    }

    /// <summary>Takes a document in and waits up to 30 seconds for it to be read; longer ones go on in the background.</summary>
    private static async Task<Created<DocumentAddedResponse>> Upload(FormBody<DocumentUploadRequest> form, DocumentUpload upload, CancellationToken cancellationToken) =>
        Added(await upload.ReceiveAsync(form, cancellationToken));

    /// <summary>Fetches an address and keeps what it answers; with <c>refreshHours</c> again and again.</summary>
    private static async Task<Created<DocumentAddedResponse>> AddUrl(JsonBody<DocumentUrlRequest> body, DocumentTexts texts, CancellationToken cancellationToken) =>
        Added(await texts.AddUrlAsync(body.Value, cancellationToken));

    /// <summary>Keeps a text.</summary>
    private static async Task<Created<DocumentAddedResponse>> AddText(JsonBody<DocumentTextRequest> body, DocumentTexts texts, CancellationToken cancellationToken) =>
        Added(await texts.AddTextAsync(body.Value, cancellationToken));

    /// <summary>Lists the documents of an organisation, agent or thread, newest first.</summary>
    private static async Task<Ok<List<DocumentResponse>>> List(HttpContext http, ScopeAccess scopes, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var errors = new FieldErrors();
        var scope = ScopeAccess.Read(errors, query.Text("scopeType", "scope_type"), query.Text("scopeId", "scope_id"));
        errors.ThrowIfAny();
        var status = query.OneOf("status", "", DocumentStatuses.Pending, DocumentStatuses.Processing, DocumentStatuses.Ready, DocumentStatuses.Error);
        await scopes.RequireAsync(scope!.Value, cancellationToken);
        var documents = scopes.In(scope.Value).Search(query.Text("q"));
        if (status.Length > 0) documents = documents.Where(d => d.Status == status);
        var page = await documents.OrderByDescending(d => d.CreatedAt).ThenByDescending(d => d.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(page.ConvertAll(DocumentResponse.From));
    }

    /// <summary>Reads a document's record.</summary>
    private static async Task<Ok<DocumentResponse>> Get(Guid docId, ScopeAccess scopes, CancellationToken cancellationToken) => TypedResults.Ok(DocumentResponse.From(await scopes.FindAsync(docId, cancellationToken)));

    /// <summary>Changes the fields that are sent.</summary>
    private static async Task<Ok<DocumentResponse>> Patch(Guid docId, JsonBody<DocumentPatchRequest> body, ScopeAccess scopes, DocumentEditor editor, CancellationToken cancellationToken)
    {
        await editor.ChangeAsync(await scopes.FindAsync(docId, cancellationToken), body.Value, cancellationToken);
        return await Get(docId, scopes, cancellationToken);
    }

    /// <summary>Deletes a document with everything that was made of it.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid docId, ScopeAccess scopes, DocumentErasure erasure, CancellationToken cancellationToken)
    {
        var document = await scopes.FindAsync(docId, cancellationToken);
        await erasure.DeleteAsync(document.OrgId, document.Id);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Lists the pieces a document was cut into, in reading order.</summary>
    private static async Task<Ok<List<DocumentChunkResponse>>> Chunks(Guid docId, HttpContext http, FlapjackDb db, ScopeAccess scopes, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", PageDefault, 1, PageLargest), query.Integer("offset", 0, 0, int.MaxValue));
        var document = await scopes.FindAsync(docId, cancellationToken);
        var chunks = db.DocumentChunks.AsNoTracking().Where(c => c.Revision == document.Revision);
        http.Response.Headers["X-Total-Count"] = (await chunks.CountAsync(cancellationToken)).ToString(CultureInfo.InvariantCulture);
        return TypedResults.Ok((await chunks.OrderBy(c => c.Position).Skip(offset).Take(limit).ToListAsync(cancellationToken)).ConvertAll(DocumentChunkResponse.From));
    }

    /// <summary>Sends a document's bytes as they came.</summary>
    private static async Task<PushStreamHttpResult> Content(Guid docId, HttpResponse response, ScopeAccess scopes, DocumentRows rows, CancellationToken cancellationToken)
    {
        var document = await scopes.FindAsync(docId, cancellationToken);
        if (await rows.PieceAsync(document, 0, cancellationToken) is not { } first)
        {
            await scopes.FindAsync(docId, cancellationToken);
            throw ApiException.Conflict("the document's bytes were replaced just now; ask again");
        }
        // Content of strangers: no browser may take it for a page of this server.
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        return TypedResults.Stream(_ => SendAsync(document, first, response, rows, cancellationToken), document.MediaType ?? "application/octet-stream", DocumentQueries.FileNameOf(document), entityTag: new EntityTagHeaderValue($"\"{document.Sha256}\""));
    }

    // A piece at a time: bytes that are replaced or deleted meanwhile break the answer off, since what is sent cannot be taken back.
    private static async Task SendAsync(Document document, byte[] piece, HttpResponse response, DocumentRows rows, CancellationToken cancellationToken)
    {
        response.ContentLength = document.SizeBytes;
        for (var (position, left) = (1, document.SizeBytes - piece.Length); ; position++, left -= piece.Length)
        {
            await response.Body.WriteAsync(piece, cancellationToken);
            if (left <= 0) return;
            if (await rows.PieceAsync(document, position, cancellationToken) is not { } next)
            {
                response.HttpContext.Abort();
                return;
            }
            piece = next;
        }
    }

    /// <summary>Reads a document anew in the background; one that came from an address is fetched again.</summary>
    private static async Task<Ok<DocumentResponse>> Reindex(Guid docId, ScopeAccess scopes, DocumentEditor editor, CancellationToken cancellationToken) =>
        TypedResults.Ok(DocumentResponse.From(await editor.ReindexAsync(await scopes.FindAsync(docId, cancellationToken), cancellationToken)));

    private static Created<DocumentAddedResponse> Added(Document document) => TypedResults.Created($"/api/knowledge/{document.Id}", DocumentAddedResponse.From(document));
}
