using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Files;

internal static class FileEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var files = app.MapGroup("/api/files").WithTags("files");
        files.MapPost("", Upload).WithName("uploadFile").From("ext").Access(Scopes.ThreadsWrite, Role.Member).WithMetadata(new BodyLimit(FileStore.MaxBytes + FormBody<FileUploadRequest>.Overhead));
        files.MapGet("/{fileId:guid}", Get).WithName("getFile").From("ext").Access(Scopes.ThreadsRead);
        files.MapGet("/{fileId:guid}/content", Content).WithName("getFileContent").From("ext").Access(Scopes.ThreadsRead).Produces(200, contentType: "application/octet-stream").Produces(206, contentType: "application/octet-stream");
        files.MapDelete("/{fileId:guid}", Delete).WithName("deleteFile").From("ext").Access(Scopes.ThreadsWrite, Role.Member);
    }

    /// <summary>Stores a file for messages to come. Its type is told from its content; one that no message uses is deleted after a day.</summary>
    private static async Task<Created<FileResponse>> Upload(FormBody<FileUploadRequest> form, FileUpload upload, CancellationToken cancellationToken)
    {
        var file = await upload.ReceiveAsync(form, cancellationToken);
        return TypedResults.Created($"/api/files/{file.Id}", FileResponse.From(file));
    }

    /// <summary>Reads what is known of a file.</summary>
    private static async Task<Ok<FileResponse>> Get(Guid fileId, FlapjackDb db, CallerContext access, CancellationToken cancellationToken) =>
        TypedResults.Ok(FileResponse.From(await db.FindFileAsync(access, fileId, cancellationToken)));

    /// <summary>Sends a file's content, or a range of it.</summary>
    private static async Task<FileStreamHttpResult> Content(Guid fileId, HttpResponse response, FlapjackDb db, CallerContext access, FileStore files, CancellationToken cancellationToken)
    {
        var file = await db.FindFileAsync(access, fileId, cancellationToken);
        // Content of strangers: no browser may take it for a page of this server.
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        return TypedResults.Stream(files.Open(file), file.MediaType, file.Name, entityTag: new EntityTagHeaderValue($"\"{file.Sha256}\""), enableRangeProcessing: true);
    }

    /// <summary>Deletes a file that no message uses.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid fileId, FlapjackDb db, CallerContext access, FileStore files, CancellationToken cancellationToken)
    {
        var file = await db.FindFileAsync(access, fileId, cancellationToken);
        return await files.DeleteUnusedAsync(file.Id, file.OrgId) ? TypedResults.Ok(Deleted.Ok) : throw ApiException.Conflict("a message uses the file; it goes with its thread");
    }
}
