using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Platform.Housekeeping;

/// <summary>Runs one round of a task. A round that fails is logged; the task's next one tries again.</summary>
internal sealed partial class HousekeepingRounds(IEnumerable<IHousekeepingTask> tasks, WaitingWork waiting, ILogger<HousekeepingRounds> logger)
{
    public IReadOnlyList<IHousekeepingTask> Tasks { get; } = [.. tasks];

    public async Task RunAsync(IHousekeepingTask task, CancellationToken cancellationToken)
    {
        try
        {
            await task.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The server stops; what is left is for the next round.
        }
        catch (Exception exception) when (DatabaseFaults.IsOutage(exception))
        {
            waiting.Report(exception);
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, task.Name, task.Period);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Housekeeping failed for {Task}; it is tried again in {Period}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string task, TimeSpan period);
}

/// <summary>The rounds of tasks that are about this node's memory. They need no database and no scheduler.</summary>
internal sealed class NodeHousekeeping(HousekeepingRounds rounds, TimeProvider time) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(rounds.Tasks.Where(task => task.Scope == HousekeepingScope.Node).Select(task => RepeatAsync(task, stoppingToken)));

    private async Task RepeatAsync(IHousekeepingTask task, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(task.Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken)) await rounds.RunAsync(task, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }
}
