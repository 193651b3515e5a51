using System.Security.Cryptography;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Files;

/// <summary>A file as it comes in.</summary>
/// <param name="OrgId">Whose it is.</param>
/// <param name="ThreadId">The thread it is sent to, if that is known.</param>
/// <param name="UserId">The account that sends it; null for API keys.</param>
/// <param name="Name">Its name.</param>
/// <param name="DeclaredType">What its sender says it is.</param>
internal sealed record IncomingFile(Guid OrgId, Guid? ThreadId, Guid? UserId, string Name, string? DeclaredType);

/// <summary>Keeps files in the database, in pieces of one megabyte, so that every node has them and a backup is whole.</summary>
/// <remarks>1 a row that says "not ready", 2 the pieces, 3 "ready" with size, hash and type. Only ready files are ever seen; what stays unfinished is cleared away like an unused file.</remarks>
internal sealed class FileStore(IWriter writer, IReader reader, TimeProvider time)
{
    /// <summary>20 MB, inline and uploaded alike.</summary>
    public const long MaxBytes = 20 * 1024 * 1024;

    /// <summary>How long a file that no message uses is kept.</summary>
    public static readonly TimeSpan UnusedLifetime = TimeSpan.FromHours(24);

    /// <summary>Stores what a stream holds. 413 over the limit, 415 for a type that is not taken, 422 for an empty file; nothing is kept then.</summary>
    /// <param name="incoming">What is known of the file.</param>
    /// <param name="content">Its content.</param>
    /// <param name="field">The request field, for refusals.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<StoredFile> StoreAsync(IncomingFile incoming, Stream content, string field, CancellationToken cancellationToken)
    {
        var now = time.Now();
        var file = new StoredFile
        {
            Id = Ids.New(),
            OrgId = incoming.OrgId,
            ThreadId = incoming.ThreadId,
            UserId = incoming.UserId,
            Name = incoming.Name,
            MediaType = "",
            SizeBytes = 0,
            Sha256 = "",
            Purpose = "message",
            Ready = false,
            ExpiresAt = now + UnusedLifetime,
            CreatedAt = now,
        };
        await writer.WriteAsync([FileSql.Begin(file)], cancellationToken);
        try
        {
            var (type, size, hash) = await AppendAsync(file, incoming, content, field, cancellationToken);
            var whole = Finished(file, type, size, hash);
            if (type == FileTypes.Zip) whole = Finished(file, FileTypes.IsDocx(await ReadAsync(whole, cancellationToken)) ? FileTypes.Docx : throw Unsupported(field), size, hash);
            await writer.WriteAsync([FileSql.Finish(whole)], cancellationToken);
            return whole;
        }
        catch
        {
            await DeleteUnusedAsync(file.Id, file.OrgId);
            throw;
        }
    }

    /// <summary>The content; read it to the end or from anywhere.</summary>
    public Stream Open(StoredFile file) => new FileContent(reader, file);

    /// <summary>The whole content in memory.</summary>
    public async ValueTask<byte[]> ReadAsync(StoredFile file, CancellationToken cancellationToken)
    {
        var bytes = new byte[file.SizeBytes];
        await using var content = Open(file);
        await content.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    /// <summary>Deletes a file; false when a message uses it or it is gone.</summary>
    public async Task<bool> DeleteUnusedAsync(Guid file, Guid org) => (await writer.WriteAsync([FileSql.DeleteUnused(file, org)])).Affected[0] == 1;

    private async Task<(string Type, long Size, string Hash)> AppendAsync(StoredFile file, IncomingFile incoming, Stream content, string field, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string? type = null;
        long size = 0;
        var isPlain = false;
        for (var position = 0; ; position++)
        {
            var chunk = new byte[FileChunk.Size];
            var length = await content.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellationToken);
            if (length == 0) break;
            if (length < chunk.Length) chunk = chunk[..length];
            if ((size += length) > MaxBytes) throw new ApiException(413, "PAYLOAD_TOO_LARGE", $"{field}: a file may have at most {MaxBytes} bytes");
            if (position == 0)
            {
                type = FileTypes.Detect(chunk.AsSpan(0, Math.Min(length, FileTypes.HeadBytes)), incoming.Name, incoming.DeclaredType) ?? throw Unsupported(field);
                isPlain = FileTypes.IsText(type) && !FileTypes.IsUtf16(chunk);
            }
            if (isPlain && !FileTypes.LooksLikeText(chunk)) throw Unsupported(field);
            hash.AppendData(chunk);
            await writer.WriteAsync([FileSql.Append(file.Id, position, chunk)], cancellationToken);
            if (length < FileChunk.Size) break;
        }
        return type is null ? throw ApiException.Invalid(field, "is empty") : (type, size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static StoredFile Finished(StoredFile f, string type, long size, string hash) => new()
    {
        Id = f.Id,
        OrgId = f.OrgId,
        ThreadId = f.ThreadId,
        UserId = f.UserId,
        Name = f.Name,
        MediaType = type,
        SizeBytes = size,
        Sha256 = hash,
        Purpose = f.Purpose,
        Ready = true,
        ExpiresAt = f.ExpiresAt,
        CreatedAt = f.CreatedAt,
    };

    private static ApiException Unsupported(string field) =>
        new(415, "UNSUPPORTED_MEDIA_TYPE", $"{field}: by its content this is none of png, jpeg, webp, gif, pdf, docx, html, csv, json, markdown and plain text");
}
