using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>Reads the documents that wait, a few at a time. What a node leaves behind when it dies, another one takes up, or the same after its restart.</summary>
internal sealed partial class IndexingService(IndexQueue queue, DocumentIndexer indexer, ServerSettings settings, WaitingWork waiting, TimeProvider time, ILogger<IndexingService> logger) : BackgroundService
{
    /// <summary>Work that other nodes queued and did not get to.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <summary>A look that failed may have used up the wake it followed, so nobody waits for the next one. Real time: it is a database that has to recover.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The start does not wait for documents.
        await Task.Yield();
        await TryAsync(queue.RecoverAsync, stoppingToken);
        await Task.WhenAll([RenewAsync(stoppingToken), .. Enumerable.Range(0, settings.Knowledge.Workers).Select(_ => WorkAsync(stoppingToken))]);
    }

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var worked = false;
            var looked = await TryAsync(async () =>
            {
                if (await queue.TakeAsync(stoppingToken) is not { } document) return;
                worked = true;
                await indexer.WorkAsync(document, stoppingToken);
            }, stoppingToken);
            if (!looked) await Task.Delay(AfterFault, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else if (!worked) await queue.WaitForWorkAsync(Look, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RenewAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(IndexQueue.Lease / 4, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await TryAsync(queue.RenewAsync, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>False when it failed.</summary>
    private async Task<bool> TryAsync(Func<Task> work, CancellationToken stoppingToken)
    {
        try
        {
            await work();
            return true;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception exception) when (DatabaseFaults.IsOutage(exception))
        {
            waiting.Report(exception);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogFailed(logger, exception);
        }
        return false;
    }

    [LoggerMessage(1, LogLevel.Error, "The queue of documents could not be looked after")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
