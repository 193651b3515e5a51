using System.Collections.Concurrent;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Http;

/// <summary>Copies an <see cref="EventLog"/> to a client: everything that is there, one flush, then wait for more.</summary>
internal sealed class EventStreams(TimeProvider time, Telemetry.ServerMetrics metrics, Identity.Revocations revocations, ServerSettings settings) : BackgroundService
{
    /// <summary>After so long without an event a comment is sent.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>Written in pieces of this size, a client that takes little shows that it takes something.</summary>
    private const int Piece = 16 * 1024;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<Reader, byte> _readers = new();

    /// <summary>Writes from where <paramref name="cursor"/> stands to the terminal event, or until the client leaves.</summary>
    public async Task WriteAsync(HttpContext context, EventCursor cursor, Guid? listener)
    {
        var (log, aborted) = (cursor.Log, context.RequestAborted);
        log.AddReader();
        var reader = new Reader(log, context) { LastWrite = time.GetTimestamp() };
        _readers.TryAdd(reader, 0);
        metrics.StreamOpened();
        await using var wake = aborted.UnsafeRegister(static state => ((EventLog)state!).Poke(), log);
        using var revocation = listener is { } credential ? revocations.OnRevoked(credential, reader.Cut) : null;
        try
        {
            if (!context.Response.HasStarted) await SseResponse.StartAsync(context);
            while (!aborted.IsCancellationRequested)
            {
                var events = cursor.Read(out var ended);
                if (events.Length == 0 && ended) break;
                if (events.Length == 0 && reader.IsCut)
                {
                    await reader.WriteAsync(cursor.Revoked, aborted);
                    break;
                }
                if (events.Length == 0 && reader.TakeKeepAlive()) events = SseResponse.KeepAlive;
                if (events.Length == 0)
                {
                    var more = cursor.WaitAsync();
                    // Looked at again once the wait has begun: what was said before it woke nobody.
                    if (!aborted.IsCancellationRequested && !reader.IsCut) await more;
                    continue;
                }
                reader.LastWrite = time.GetTimestamp();
                await reader.WriteAsync(events, aborted);
            }
            // Without its terminal event a stream must not look complete.
            if (log.IsBroken) context.Abort();
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
        }
        finally
        {
            _readers.TryRemove(reader, out _);
            log.RemoveReader();
            metrics.StreamClosed();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // One timer for all streams: a timer per wait would cost more than the waiting.
        using var timer = new PeriodicTimer(Round, time);
        var patience = settings.Turns.StreamStall / Round;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (reader, _) in _readers)
            {
                if (patience > 0 && reader.StalledFor() > patience) reader.Abort();
                else if (time.GetElapsedTime(reader.LastWrite) >= Silence) reader.AskForKeepAlive();
            }
        }
    }

    private sealed class Reader(EventLog log, HttpContext context)
    {
        private int _keepAlive;

        private int _cut;

        private int _writing;

        private int _stalled;

        public long LastWrite { get; set; }

        public bool IsCut => Volatile.Read(ref _cut) == 1;

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            var pipe = context.Response.BodyWriter;
            while (bytes.Length > 0)
            {
                var piece = bytes[..Math.Min(Piece, bytes.Length)];
                Volatile.Write(ref _stalled, 0);
                Volatile.Write(ref _writing, 1);
                await pipe.WriteAsync(piece, cancellationToken);
                Volatile.Write(ref _writing, 0);
                bytes = bytes[piece.Length..];
            }
        }

        /// <summary>Rounds since the client last took something of what waits for it. Asked once a round.</summary>
        public int StalledFor() => Volatile.Read(ref _writing) == 0 ? 0 : Interlocked.Increment(ref _stalled);

        /// <summary>Closes the connection; for the stream its client has left.</summary>
        public void Abort() => context.Abort();

        public void Cut()
        {
            Volatile.Write(ref _cut, 1);
            log.Poke();
        }

        public void AskForKeepAlive()
        {
            Volatile.Write(ref _keepAlive, 1);
            log.Poke();
        }

        public bool TakeKeepAlive() => Interlocked.Exchange(ref _keepAlive, 0) == 1;
    }
}
