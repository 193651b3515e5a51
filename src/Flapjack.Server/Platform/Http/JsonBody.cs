using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace Flapjack.Server.Platform.Http;

/// <summary>A JSON request body. An empty body counts as <c>{}</c>. Shape faults are 400, field faults are the handler's 422.</summary>
/// <typeparam name="T">A public record of <see cref="Optional{T}"/> fields.</typeparam>
internal sealed class JsonBody<T>(T value) : IEndpointParameterMetadataProvider where T : class, new()
{
    public T Value { get; } = value;

    public static async ValueTask<JsonBody<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var limit = context.GetEndpoint()?.Metadata.GetMetadata<BodyLimit>()?.Bytes ?? BodyLimit.Default;
        var raw = await RequestBytes.ReadAsync(context.Request, limit, context.RequestAborted);
        return new(raw.Length == 0 ? new T() : RequestBytes.Parse<T>(raw.Span));
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder)
    {
        // "*/*" keeps routing from answering 415 by itself, before anybody knows who calls; the body's own check does.
        builder.Metadata.Add(new AcceptsMetadata(["application/json", "*/*"], typeof(T), isOptional: true));
        if (typeof(T).GetProperty("OrgId") is not null) builder.Metadata.Add(Identity.OrgInBody.Mark);
    }
}

/// <summary>The largest JSON body an endpoint takes, in bytes.</summary>
internal sealed record BodyLimit(long Bytes)
{
    /// <summary>10 MB.</summary>
    public const long Default = 10L * 1024 * 1024;
    /// <summary>30 MB, for messages with inline attachments.</summary>
    public const long Messages = 30L * 1024 * 1024;
}

/// <summary>Collects what large bodies left behind: each leaves a multiple of its size, and the collector alone lets that grow to hundreds of megabytes.</summary>
internal static class LargeBodies
{
    private const long Large = 4 * 1024 * 1024, Allowed = 32 * 1024 * 1024;
    private static readonly Lock Counting = new();
    private static long s_came;
    private static int s_collections;

    /// <summary>A body was read. Now and then what the large ones before it left is cleared away, for which everything pauses a moment.</summary>
    public static void Came(long bytes)
    {
        if (bytes < Large) return;
        lock (Counting)
        {
            var collections = GC.CollectionCount(2);
            if (collections != s_collections) (s_came, s_collections) = (0, collections);
            if ((s_came += bytes) <= Allowed) return;
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            (s_came, s_collections) = (bytes, GC.CollectionCount(2));
        }
    }
}

internal static class RequestBytes
{
    private const int FirstPiece = 16 * 1024;

    /// <summary>Reads a JSON body after checking media type, character set and size.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, long limit, CancellationToken cancellationToken)
    {
        var declared = request.ContentLength;
        if (declared > limit) throw TooLarge(limit);
        var hasBody = declared is > 0 || declared is null && request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;
        if (!hasBody) return default;
        CheckMediaType(request);
        var size = request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (size is { IsReadOnly: false }) size.MaxRequestBodySize = limit;
        try
        {
            return await ReadAllAsync(request, limit, cancellationToken);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == 413)
        {
            throw TooLarge(limit);
        }
    }

    /// <summary>A body that was read, to be read again.</summary>
    public static Stream StreamOf(ReadOnlyMemory<byte> bytes) => MemoryMarshal.TryGetArray(bytes, out var held) && held.Array is not null
        ? new MemoryStream(held.Array, held.Offset, held.Count, writable: false, publiclyVisible: true)
        : new MemoryStream(bytes.ToArray(), writable: false);

    /// <summary>Reads a body of any kind up to a limit, into one piece of memory: a pipe would hold all of it a second time. It grows with what came, so that a declared length alone takes none.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAllAsync(HttpRequest request, long limit, CancellationToken cancellationToken)
    {
        if (request.Body is MemoryStream { Position: 0 } held && held.TryGetBuffer(out var whole)) return whole.Count <= limit ? whole : throw TooLarge(limit);
        var declared = request.ContentLength;
        var (buffer, length) = (new byte[Math.Min(declared ?? FirstPiece, FirstPiece)], 0);
        while (length != declared)
        {
            if (length == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(declared ?? limit + 1, length * (declared is null ? 2L : 8L)));
            var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0) break;
            if ((length += read) > limit) throw TooLarge(limit);
        }
        LargeBodies.Came(length);
        return buffer.AsMemory(0, length);
    }

    /// <summary>Parses a body: 400 <c>INVALID_JSON</c> when it is no JSON, 400 <c>INVALID_REQUEST</c> when a field has the wrong type.</summary>
    public static T Parse<T>(ReadOnlySpan<byte> json) where T : class
    {
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        // What stays JSON is not read as text here: broken UTF-8 and halves of characters in it would fail later, as a server error.
        if (!Utf8.IsValid(json) || MayHoldHalfCharacters(json)) CheckText(json);
        try
        {
            return JsonSerializer.Deserialize<T>(json, WireJson.Requests) ?? throw ApiException.BadRequest("the body must be a JSON object");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw Explain(json, exception as JsonException);
        }
    }

    private static bool MayHoldHalfCharacters(ReadOnlySpan<byte> json) => json.IndexOf("\\ud"u8) >= 0 || json.IndexOf("\\uD"u8) >= 0;

    private static void CheckText(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Explain(json, exception as JsonException);
        }
    }

    private static ApiException Explain(ReadOnlySpan<byte> json, JsonException? exception)
    {
        JsonTokenType first;
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            first = reader.TokenType;
            do
            {
                // Reading a text also finds broken UTF-8 and lone surrogates, which the tokenizer lets pass.
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
            }
            while (reader.Read());
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return new ApiException(400, "INVALID_JSON", "the body is not valid JSON in UTF-8" + (fault is JsonException { LineNumber: { } line } ? $" (line {line + 1})" : ""));
        }
        if (first != JsonTokenType.StartObject) return ApiException.BadRequest("the body must be a JSON object");
        var path = OptionalPath.Of(exception) ?? "body";
        var own = exception is { InnerException: null, Message: { Length: < 60 } message } && message.StartsWith("must", StringComparison.Ordinal) | message.StartsWith("is not", StringComparison.Ordinal);
        return ApiException.BadRequest($"{path}: {(own ? exception!.Message : "has the wrong type")}");
    }

    private static void CheckMediaType(HttpRequest request)
    {
        // A missing header is tolerated: the body then has to parse as JSON.
        if (string.IsNullOrEmpty(request.ContentType)) return;
        if (!Microsoft.Net.Http.Headers.MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) throw Unsupported("the Content-Type header is malformed");
        if (!type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) && !type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
            throw Unsupported("send application/json");
        if (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && !type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase))
            throw Unsupported("the character set must be UTF-8");
        if (request.Headers.ContentEncoding.Count > 0 && !request.Headers.ContentEncoding.Equals("identity")) throw Unsupported("compressed bodies are not accepted");
    }

    private static ApiException Unsupported(string detail) => new(415, "UNSUPPORTED_MEDIA_TYPE", detail);

    public static ApiException TooLarge(long limit) => new(413, "PAYLOAD_TOO_LARGE", $"the body may have at most {limit} bytes");
}
