namespace Flapjack.Server.Threads.Streams.Relay;

/// <summary>Every few seconds readers and owners of streams say that they are still there. When this node stops, what its turns said last is still handed over.</summary>
internal sealed class RelayRounds(StreamRelays relays, StreamMirrors mirrors, TimeProvider time) : BackgroundService
{
    /// <summary>Who was silent for more rounds than these is gone.</summary>
    public const int SilentRounds = 3;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5), LastWords = TimeSpan.FromSeconds(1);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // In real time, like every part of the stop.
        await Task.WhenAny(relays.FinishAsync(), Task.Delay(LastWords, cancellationToken));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            relays.Round();
            mirrors.Round();
        }
    }
}
