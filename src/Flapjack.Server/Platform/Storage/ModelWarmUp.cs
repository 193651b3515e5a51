using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Wakes EF Core right after the server is ready, so that neither the start nor the first request pays for it, and gives back the memory that both took.</summary>
internal sealed partial class ModelWarmUp(Databases databases, IHostApplicationLifetime lifetime, ILogger<ModelWarmUp> logger) : BackgroundService
{
    private static int _collected;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var ready = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);
            await using var db = databases.OpenForServer();
            await db.IdempotencyRecords.AsNoTracking().FirstOrDefaultAsync(record => record.Id == Guid.Empty, stoppingToken);
            // Half of the heap is what the start and the model's making left behind; a server that idles need not hold it. Another server in the same process finds the model made.
            if (Interlocked.Exchange(ref _collected, 1) == 0) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // The first request tries again and says what is wrong.
            LogFailed(logger, exception);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "EF Core could not be woken early")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
