using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Flapjack.Providers.Wire;

/// <summary>A JSON request body in pooled pieces. A long conversation is some megabytes, one with files many: allocating that for each call would fill the large object heap, and the pool keeps what it once gave.</summary>
internal sealed class PooledJsonContent : HttpContent, IBufferWriter<byte>
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    // Up to this the body is one piece.
    private const int Piece = 512 * 1024;

    private readonly List<ArraySegment<byte>> full = [];
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(4 * 1024);
    private int length;
    private int sending;

    private PooledJsonContent() => Headers.ContentType = Json;

    public static PooledJsonContent Create(Action<Utf8JsonWriter> write)
    {
        var content = new PooledJsonContent();
        using var json = new Utf8JsonWriter(content, WriterOptions);
        write(json);
        return content;
    }

    public void Advance(int count) => length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return buffer.AsMemory(length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return buffer.AsSpan(length);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref sending);
        foreach (var piece in full)
        {
            await stream.WriteAsync(piece, cancellationToken);
        }
        await stream.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
        Interlocked.Decrement(ref sending);
    }

    protected override bool TryComputeLength(out long result)
    {
        result = full.Sum(piece => (long)piece.Count) + length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        // Over HTTP/2 an answer may come while the body is still being sent; such a buffer, or one whose sending failed, is left to the collector.
        var returned = Interlocked.Exchange(ref buffer, []);
        if (disposing && Volatile.Read(ref sending) == 0 && returned.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(returned);
            full.ForEach(piece => ArrayPool<byte>.Shared.Return(piece.Array!));
        }
        base.Dispose(disposing);
    }

    private void Reserve(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 256);
        if (buffer.Length - length >= needed)
        {
            return;
        }
        if (length + needed > Piece)
        {
            full.Add(new(buffer, 0, length));
            (buffer, length) = (ArrayPool<byte>.Shared.Rent(Math.Max(Piece, needed)), 0);
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(buffer.Length * 2, length + needed));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
