using Flapjack.Runtime.Models;

namespace Flapjack.Providers.Wire;

/// <summary>A provider's event stream with its limits: silence, size of one event, size of the whole, and a first byte that can begin an event stream at all.</summary>
internal sealed class GuardedStream(Stream inner, IdleWatch watch, ProviderOptions limits) : Stream
{
    private long total;
    private long sinceEvent;

    public void EventSeen() => sinceEvent = 0;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        watch.Renew();
        var read = await inner.ReadAsync(buffer, watch.Token);
        if (read == 0)
        {
            return 0;
        }
        // Fields are data, event, id and retry; a colon begins a comment, 0xEF the byte order mark. HTML and plain JSON begin otherwise.
        if (total == 0 && buffer.Span[0] is not ((byte)'d' or (byte)'e' or (byte)'i' or (byte)'r' or (byte)':' or (byte)'\n' or (byte)'\r' or 0xEF))
        {
            throw ModelFaults.Malformed();
        }
        total += read;
        sinceEvent += read;
        if (total > limits.MaxAnswerBytes || sinceEvent > limits.MaxEventBytes)
        {
            throw new ModelException(ModelErrors.Error, "The provider's answer is larger than this server accepts.");
        }
        return read;
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() => throw new NotSupportedException();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
