using System.Net.ServerSentEvents;

namespace Flapjack.Client;

/// <summary>One connection to a stream of events.</summary>
internal sealed class StreamConnection : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly IAsyncEnumerator<SseItem<string>> _items;
    private readonly CancellationToken _cancellationToken;

    private StreamConnection(HttpResponseMessage response, Stream body, CancellationToken cancellationToken)
    {
        (_response, _cancellationToken) = (response, cancellationToken);
        _items = SseParser.Create(body).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
    }

    public static async Task<StreamConnection> OpenAsync(HttpResponseMessage response, FlapjackClientOptions options, CancellationToken cancellationToken) =>
        new(response, new ImpatientStream(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), options.IdleTimeout, options.Time), cancellationToken);

    /// <summary>The next event. An end without one is a broken connection, as the last event of a turn says that it is the last.</summary>
    public async Task<FlapjackEvent> NextAsync()
    {
        if (!await Transport.ReachAsync(async () => await _items.MoveNextAsync().ConfigureAwait(false), _cancellationToken).ConfigureAwait(false))
        {
            throw FlapjackException.NoConnection("the stream ended before the turn");
        }
        var item = _items.Current;
        return FlapjackEvent.Parse(item.EventId ?? "", item.EventType, item.Data);
    }

    public async ValueTask DisposeAsync()
    {
        // First the connection: nothing is to wait for bytes that nobody wants.
        _response.Dispose();
        await _items.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>A stream whose reads fail when nothing comes for a while. Comments of the server count as something.</summary>
internal sealed class ImpatientStream(Stream inner, TimeSpan patience, TimeProvider time) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var patient = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patient.Token, cancellationToken);
        try
        {
            return await inner.ReadAsync(buffer, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (patient.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException("the stream fell silent");
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
