using Flapjack.Server.Platform.Housekeeping;
using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>One round of the housekeeping task that the job is named after, never two of them at a time in the whole cluster.</summary>
/// <remarks>The database holds this type's name: who renames it renames it there too, in a migration.</remarks>
[DisallowConcurrentExecution]
internal sealed class HousekeepingJob(HousekeepingRounds rounds, SchedulerEnd end) : IJob
{
    public const string Group = "housekeeping";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        // A node of another version may have tasks that this one does not know; the next round may be another node's.
        if (rounds.Tasks.FirstOrDefault(task => task.Name == context.JobDetail.Key.Name) is not { } task) return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, end.Token);
        await rounds.RunAsync(task, either.Token);
    }
}

/// <summary>The moment at which jobs that still run when the server stops must end.</summary>
internal sealed class SchedulerEnd : IDisposable
{
    private readonly CancellationTokenSource _end = new();

    public CancellationToken Token => _end.Token;

    public Task ComeAsync() => _end.CancelAsync();

    public void Dispose() => _end.Dispose();
}
