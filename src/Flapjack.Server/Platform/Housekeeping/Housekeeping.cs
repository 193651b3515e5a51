namespace Flapjack.Server.Platform.Housekeeping;

/// <summary>Something that is cleared away now and then. Features bring their own.</summary>
internal interface IHousekeepingTask
{
    /// <summary>Name for the log.</summary>
    string Name { get; }

    /// <summary>Does one round, in bounded batches. Every node runs it; it must not mind another doing the same.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>Runs all housekeeping tasks every ten minutes. One that fails is logged and tried again next time; the others run.</summary>
internal sealed partial class HousekeepingRounds(IEnumerable<IHousekeepingTask> tasks, TimeProvider time, ILogger<HousekeepingRounds> logger) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);
    private readonly IHousekeepingTask[] _tasks = [.. tasks];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var task in _tasks)
        {
            try
            {
                await task.RunAsync(cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                LogFailed(logger, exception, task.Name);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Housekeeping failed for {Task}; it is tried again in ten minutes")]
    private static partial void LogFailed(ILogger logger, Exception exception, string task);
}
