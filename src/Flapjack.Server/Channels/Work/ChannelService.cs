using System.Collections.Concurrent;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Channels.Work;

/// <summary>Answers the messages that wait, several at a time. What a node leaves behind when it dies, another one takes up, or the same after its restart.</summary>
internal sealed partial class ChannelService(ChannelInbox inbox, EventWork work, Draining draining, WaitingWork waiting, ChannelServiceContext context, ILogger<ChannelService> logger) : BackgroundService
{
    /// <summary>Messages whose time comes, and those of nodes that are gone.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>A look that failed may have used up the wake it followed. Real time: it is a database that has to recover.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    /// <summary>What stops turns must not wait behind them.</summary>
    private const int UrgentAtOnce = 8;

    private readonly ConcurrentDictionary<(long, long), Task> _ordinary = new(), _urgent = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The start does not wait for messages.
        await Task.Yield();
        await TryAsync(inbox.RecoverAsync, stoppingToken);
        await Task.WhenAll(RenewAsync(stoppingToken), DispatchAsync(stoppingToken));
        await Task.WhenAll([.. _ordinary.Values, .. _urgent.Values]);
    }

    private async Task DispatchAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var began = false;
            var looked = draining.IsDraining || await TryAsync(async () => began = await TakeAsync(stoppingToken), stoppingToken);
            if (!looked) await Task.Delay(AfterFault, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else if (!began) await inbox.WaitForWorkAsync(Look, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TakeAsync(CancellationToken stoppingToken)
    {
        var urgent = await inbox.TakeAsync(Math.Max(0, UrgentAtOnce - _urgent.Count), urgent: true, stoppingToken);
        foreach (var e in urgent) Start(e, _urgent, stoppingToken);
        var ordinary = await inbox.TakeAsync(Math.Max(0, context.Settings.Channels.Parallel - _ordinary.Count), urgent: false, stoppingToken);
        foreach (var e in ordinary) Start(e, _ordinary, stoppingToken);
        return urgent.Count + ordinary.Count > 0;
    }

    private void Start(ChannelEvent e, ConcurrentDictionary<(long, long), Task> running, CancellationToken stoppingToken)
    {
        // Entered before it runs, so that whoever ends at once finds itself.
        var begin = new TaskCompletionSource();
        running[(e.Number, e.Claim)] = RunAsync();
        begin.SetResult();

        async Task RunAsync()
        {
            await begin.Task;
            await TryAsync(() => work.RunAsync(e, stoppingToken), stoppingToken);
            running.TryRemove((e.Number, e.Claim), out _);
            inbox.Wake();
        }
    }

    private async Task RenewAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(ChannelInbox.Lease / 4, context.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await TryAsync(inbox.RenewAsync, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>False when it failed.</summary>
    private async Task<bool> TryAsync(Func<Task> act, CancellationToken stoppingToken)
    {
        try
        {
            await act();
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

    [LoggerMessage(1, LogLevel.Error, "The messages of channels could not be looked after")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

/// <summary>What the service needs besides its collaborators.</summary>
internal sealed record ChannelServiceContext(ServerSettings Settings, TimeProvider Time);
