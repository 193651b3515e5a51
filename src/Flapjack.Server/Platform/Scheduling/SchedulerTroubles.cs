using Flapjack.Server.Platform.Housekeeping;
using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>Passes on what goes wrong inside the scheduler. Quartz itself logs every attempt; the shipped settings turn that off.</summary>
internal sealed class SchedulerTroubles(WaitingWork waiting) : ISchedulerListener
{
    public ValueTask SchedulerError(IScheduler scheduler, SchedulerErrorContext error, CancellationToken cancellationToken = default)
    {
        waiting.Report(error.Exception);
        return ValueTask.CompletedTask;
    }
}
