using System.Collections.Concurrent;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Copies the log of a <see cref="LiveTurn"/> to a client: everything that is there, one flush, then wait for more.</summary>
internal sealed class TurnStreams(TimeProvider time, Platform.Telemetry.ServerMetrics metrics) : BackgroundService
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<Reader, byte> _readers = new();

    /// <summary>Writes from <paramref name="position"/> to the terminal event, or until the client leaves.</summary>
    public async Task WriteAsync(HttpContext context, LiveTurn turn, int position)
    {
        var aborted = context.RequestAborted;
        turn.AddReader();
        var reader = new Reader(turn) { LastWrite = time.GetTimestamp() };
        _readers.TryAdd(reader, 0);
        metrics.StreamOpened();
        await using var wake = aborted.UnsafeRegister(static state => ((LiveTurn)state!).Poke(), turn);
        try
        {
            if (!context.Response.HasStarted) await SseResponse.StartAsync(context);
            var pipe = context.Response.BodyWriter;
            while (!aborted.IsCancellationRequested)
            {
                ReadOnlyMemory<byte> events = turn.Read(position, out var ended);
                if (events.Length == 0 && ended) break;
                if (events.Length == 0 && reader.TakeKeepAlive()) events = SseResponse.KeepAlive;
                else position += events.Length;
                if (events.Length == 0)
                {
                    await turn.WaitAsync(position);
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
            turn.RemoveReader();
            metrics.StreamClosed();
        }
    }

    /// <summary>Waits for <paramref name="ready"/> on an open stream, sending comments so that no proxy closes it.</summary>
    public async Task WriteCommentsUntilAsync(HttpContext context, Task ready)
    {
        while (!ready.IsCompleted)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            var silence = Task.Delay(Silence, time, pause.Token);
            await Task.WhenAny(ready, silence);
            if (!ready.IsCompleted && !context.RequestAborted.IsCancellationRequested) await context.Response.BodyWriter.WriteAsync(SseResponse.KeepAlive, context.RequestAborted);
            await pause.CancelAsync();
            context.RequestAborted.ThrowIfCancellationRequested();
        }
        await ready;
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

    private sealed class Reader(LiveTurn turn)
    {
        private int _keepAlive;

        public long LastWrite { get; set; }

        public void AskForKeepAlive()
        {
            Volatile.Write(ref _keepAlive, 1);
            turn.Poke();
        }

        public bool TakeKeepAlive() => Interlocked.Exchange(ref _keepAlive, 0) == 1;
    }
}
