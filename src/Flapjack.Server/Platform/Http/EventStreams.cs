using System.Collections.Concurrent;

namespace Flapjack.Server.Platform.Http;

/// <summary>Copies an <see cref="EventLog"/> to a client: everything that is there, one flush, then wait for more.</summary>
internal sealed class EventStreams(TimeProvider time, Telemetry.ServerMetrics metrics, Identity.Revocations revocations) : BackgroundService
{
    /// <summary>After so long without an event a comment is sent.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<Reader, byte> _readers = new();

    /// <summary>Writes from where <paramref name="cursor"/> stands to the terminal event, or until the client leaves.</summary>
    public async Task WriteAsync(HttpContext context, EventCursor cursor, Guid? listener)
    {
        var (log, aborted) = (cursor.Log, context.RequestAborted);
        log.AddReader();
        var reader = new Reader(log) { LastWrite = time.GetTimestamp() };
        _readers.TryAdd(reader, 0);
        metrics.StreamOpened();
        await using var wake = aborted.UnsafeRegister(static state => ((EventLog)state!).Poke(), log);
        using var revocation = listener is { } credential ? revocations.OnRevoked(credential, reader.Cut) : null;
        try
        {
            if (!context.Response.HasStarted) await SseResponse.StartAsync(context);
            var pipe = context.Response.BodyWriter;
            while (!aborted.IsCancellationRequested)
            {
                var events = cursor.Read(out var ended);
                if (events.Length == 0 && ended) break;
                if (events.Length == 0 && reader.IsCut)
                {
                    await pipe.WriteAsync(cursor.Revoked, aborted);
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
                await pipe.WriteAsync(events, aborted);
            }
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
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (reader, _) in _readers)
            {
                if (time.GetElapsedTime(reader.LastWrite) >= Silence) reader.AskForKeepAlive();
            }
        }
    }

    private sealed class Reader(EventLog log)
    {
        private int _keepAlive;

        private int _cut;

        public long LastWrite { get; set; }

        public bool IsCut => Volatile.Read(ref _cut) == 1;

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
