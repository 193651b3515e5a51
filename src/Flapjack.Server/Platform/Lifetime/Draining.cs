using System.Diagnostics;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Lifetime;

/// <summary>The end of the server's life: on SIGTERM readiness turns red at once, running requests and turns get the grace period, then they are told to end.</summary>
/// <remarks>
/// The server listens until its last request is done or the grace period is over, so that a load balancer is told instead of
/// refused. The clock is the real one: the operating system waits in real time too.
/// </remarks>
internal sealed partial class Draining(ServerSettings settings, RunningRequests running, ILogger<Draining> logger) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(3);
    private readonly CancellationTokenSource _begun = new();
    private readonly CancellationTokenSource _graceOver = new();
    private bool _asked;

    /// <summary>True from the moment the server was asked to stop: take no new work.</summary>
    public bool IsDraining => _begun.IsCancellationRequested;

    /// <summary>Cancelled when the server was asked to stop.</summary>
    public CancellationToken Begun => _begun.Token;

    /// <summary>Cancelled when the grace period is over: end what still runs, in an orderly way, within seconds.</summary>
    public CancellationToken GraceOver => _graceOver.Token;

    // Comes before any hosted service, the listening socket included, is stopped.
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // A host may be stopped and then disposed of, which stops it again.
        if (Interlocked.Exchange(ref _asked, true)) return;
        await _begun.CancelAsync();
        LogDraining(logger, running.Count);
        await WaitForWorkAsync(settings.ShutdownGrace, cancellationToken);
        await _graceOver.CancelAsync();
        await WaitForWorkAsync(LastWords, cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _begun.Dispose();
        _graceOver.Dispose();
    }

    private async Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (running.Any && Stopwatch.GetElapsedTime(since) < atMost && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(20, CancellationToken.None);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Stopping; {Running} requests still run")]
    private static partial void LogDraining(ILogger logger, int running);
}
