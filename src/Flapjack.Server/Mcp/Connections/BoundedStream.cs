namespace Flapjack.Server.Mcp.Connections;

/// <summary>What a server may send: bytes of one message, bytes and messages in a minute. Breaking one ends the stream, so that a flood wastes neither memory nor time.</summary>
internal sealed class InboundBudget(TimeProvider time)
{
    public const int MaxMessage = 8 * 1024 * 1024, MaxPerMinute = 32 * 1024 * 1024, MaxMessagesPerMinute = 6_000;

    private readonly Lock _lock = new();
    private long _since = time.GetTimestamp();
    private int _bytes, _messages;

    public static McpServerException TooLarge(string what) => new(new(McpFault.Protocol, what) { TooLarge = true });

    public void Spend(int bytes, int messages)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_since) > TimeSpan.FromMinutes(1)) (_since, _bytes, _messages) = (time.GetTimestamp(), 0, 0);
            if ((_bytes += bytes) > MaxPerMinute) throw TooLarge("the server sends more than 32 MB a minute");
            if ((_messages += messages) > MaxMessagesPerMinute) throw TooLarge("the server sends more than 6000 messages a minute");
        }
    }
}

/// <summary>Where one message of a stream ends.</summary>
internal enum MessageEnd
{
    /// <summary>With the stream.</summary>
    Stream,
    /// <summary>With a line.</summary>
    Line,
    /// <summary>With an empty line.</summary>
    EmptyLine,
}

/// <summary>A stream from a server, read within a budget.</summary>
internal sealed class BoundedStream(Stream inner, MessageEnd end, InboundBudget budget) : Stream
{
    private int _message, _messages;
    private bool _lineIsEmpty;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Count(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        Count(buffer.AsSpan(offset, read));
        return read;
    }

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private void Count(ReadOnlySpan<byte> read)
    {
        _messages = 0;
        if (end == MessageEnd.Stream) _message += read.Length;
        else foreach (var character in read) Count(character);
        budget.Spend(read.Length, _messages);
        if (_message > InboundBudget.MaxMessage) throw InboundBudget.TooLarge("the server sent a message of more than 8 MB");
    }

    private void Count(byte character)
    {
        _message++;
        if (character == '\r') return;
        if (character != '\n') _lineIsEmpty = false;
        else if (end == MessageEnd.EmptyLine && !_lineIsEmpty) _lineIsEmpty = true;
        else (_message, _messages) = (0, _messages + 1);
    }
}
