using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Notices credentials that another node revoked while work runs here, should its signal be lost: they must be cut within five seconds on every node. Without running work it asks nothing.</summary>
internal sealed partial class RevocationWatch(Revocations revocations, IEnumerable<ICredentialReader> readers, ISignals signals, TimeProvider time, ILogger<RevocationWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(4);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signals.OnMissed(() => _ = TryLookAsync(stoppingToken));
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await TryLookAsync(stoppingToken);
    }

    private async Task TryLookAsync(CancellationToken stoppingToken)
    {
        try
        {
            await LookAsync(stoppingToken);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogFailed(logger, exception);
        }
    }

    /// <summary>One look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var watched = revocations.Watched;
        if (watched.Count == 0) return;
        foreach (var reader in readers)
        {
            foreach (var ended in await reader.RevokedAmongAsync(watched, cancellationToken)) revocations.Cut(ended);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Could not look for revoked credentials; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
