using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>Says that scheduled work waits for the database, at most once a minute however often it is tried.</summary>
/// <remarks>Quartz logs every attempt; the shipped settings turn that off. The clock is the real one, as Quartz's own is.</remarks>
internal sealed partial class SchedulerTroubles(ILogger<SchedulerTroubles> logger) : ISchedulerListener
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private long? _lastSaid;

    public void Report(Exception? cause)
    {
        lock (_lock)
        {
            if (_lastSaid is { } last && TimeProvider.System.GetElapsedTime(last) < Pause) return;
            _lastSaid = TimeProvider.System.GetTimestamp();
        }
        LogWaiting(logger, cause?.GetBaseException().Message);
    }

    public ValueTask SchedulerError(IScheduler scheduler, SchedulerErrorContext error, CancellationToken cancellationToken = default)
    {
        Report(error.Exception);
        return ValueTask.CompletedTask;
    }

    [LoggerMessage(1, LogLevel.Warning, "Scheduled work waits, and is tried again until it succeeds: {Cause}")]
    private static partial void LogWaiting(ILogger logger, string? cause);
}
