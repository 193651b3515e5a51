using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Platform.Http;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Platform.Idempotency;

/// <summary>A request's body, read once for comparison and handed on to the endpoint.</summary>
internal sealed class BodyCopy(ReadOnlyMemory<byte> bytes, byte[]? boundary)
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <param name="request">Whose.</param>
    /// <param name="endpoint">Says how large it may be,</param>
    /// <param name="admitted">unless this does.</param>
    public static async Task<BodyCopy> TakeAsync(HttpRequest request, Endpoint endpoint, long? admitted)
    {
        var boundary = Boundary(request.ContentType);
        var limit = admitted ?? endpoint.Metadata.GetMetadata<BodyLimit>()?.Bytes ?? (boundary is null ? BodyLimit.Default : BodyLimit.Messages);
        if (request.ContentLength > limit) throw RequestBytes.TooLarge(limit);
        var bytes = await RequestBytes.ReadAllAsync(request, limit, request.HttpContext.RequestAborted);
        request.Body = RequestBytes.StreamOf(bytes);
        return new(bytes, boundary);
    }

    /// <summary>A hash of body and <paramref name="more"/>. HTTP stacks choose a new multipart boundary for each attempt, so it does not count.</summary>
    public string Hash(string more)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(more + "\n"));
        var rest = bytes.Span;
        while (boundary is not null && rest.IndexOf(boundary) is var at and >= 0)
        {
            hash.AppendData(rest[..at]);
            hash.AppendData("\0"u8);
            rest = rest[(at + boundary.Length)..];
        }
        hash.AppendData(rest);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[]? Boundary(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && type.Type.Equals("multipart", StringComparison.OrdinalIgnoreCase) && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 } boundary
            ? Encoding.UTF8.GetBytes(boundary.ToString())
            : null;
}
