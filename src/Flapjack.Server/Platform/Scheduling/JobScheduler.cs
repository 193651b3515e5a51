using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Settings;
using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>The scheduler's life: it begins once the server listens, takes no new jobs once the server drains, and gives running ones what is left of the grace period.</summary>
internal sealed class JobScheduler([FromKeyedServices(SchedulingSetup.Name)] ISchedulerFactory factory, HousekeepingSchedule schedule, SchedulerEnd end, WaitingWork waiting, ServerLife life, ServerSettings settings) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private IScheduler? _scheduler;
    private Task? _stopping;
    private long _drainingSince;

    // A host may be stopped and then disposed of, which stops it again: whoever asks second waits for the same end.
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_lock) return _stopping ??= EndAsync(cancellationToken);
    }

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_scheduler is not { } scheduler) return;
        var stopping = scheduler.Shutdown(waitForJobsToComplete: true, cancellationToken).AsTask();
        if (!await EndsWithinAsync(stopping, GraceLeft()))
        {
            await end.ComeAsync();
            await stopping.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Quartz lives by the real clock: it compares the times of all nodes, and the operating system's shutdown does not wait for another one.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await life.StartedAsync(stoppingToken);
            while (!await TryStartAsync(stoppingToken)) await Task.Delay(Retry, TimeProvider.System, stoppingToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, life.Draining).WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _drainingSince = TimeProvider.System.GetTimestamp();
            await _scheduler!.Standby(CancellationToken.None);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (SchedulerException)
        {
            // It is being shut down already.
        }
    }

    private async Task<bool> TryStartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _scheduler ??= await factory.GetScheduler(cancellationToken);
            await schedule.StoreAsync(_scheduler, cancellationToken);
            await _scheduler.Start(cancellationToken);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            waiting.Report(exception);
            return false;
        }
    }

    private TimeSpan GraceLeft()
    {
        var left = settings.ShutdownGrace - (_drainingSince == 0 ? TimeSpan.Zero : TimeProvider.System.GetElapsedTime(_drainingSince));
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static async Task<bool> EndsWithinAsync(Task task, TimeSpan atMost)
    {
        await task.WaitAsync(atMost, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }
}

/// <summary>When the server listens, and when it begins to stop.</summary>
internal sealed class ServerLife(IHostApplicationLifetime lifetime, Draining draining)
{
    public CancellationToken Draining => draining.Begun;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }
}
