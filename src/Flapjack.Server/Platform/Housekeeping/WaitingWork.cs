namespace Flapjack.Server.Platform.Housekeeping;

/// <summary>Says that work waits for the database, at most once a minute however often it is tried.</summary>
/// <remarks>The clock is the real one, as the scheduler's is.</remarks>
internal sealed partial class WaitingWork(ILogger<WaitingWork> logger)
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

    [LoggerMessage(1, LogLevel.Warning, "Scheduled work waits, and is tried again until it succeeds: {Cause}")]
    private static partial void LogWaiting(ILogger logger, string? cause);
}
