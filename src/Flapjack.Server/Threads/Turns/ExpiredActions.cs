using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Ends turns whose client let the time for its results pass. Its thread took normal messages all along; from here on the turn is history.</summary>
internal sealed class ExpiredActions(Databases databases, PendingActions pending, TimeProvider time) : IHousekeepingTask
{
    private const int Batch = 100;

    public string Name => "expired actions";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        var after = DateTime.MinValue;
        while (await FindAsync(after, cancellationToken) is { Count: > 0 } expired)
        {
            foreach (var thread in expired)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (await FailureOfAsync(thread) is { } failure) failures.Add(failure);
            }
            after = expired[^1].PendingExpiresAt!.Value;
        }
        if (failures.Count > 0) throw new AggregateException(failures);
    }

    // One that cannot be ended must not keep the others waiting.
    private async Task<Exception?> FailureOfAsync(ConversationThread thread)
    {
        try
        {
            await pending.DropAsync(thread, thread.PendingTurnId!.Value, PendingEnd.Expired);
            return null;
        }
        catch (Exception exception) when (!DatabaseFaults.IsOutage(exception))
        {
            return exception;
        }
    }

    private async Task<List<ConversationThread>> FindAsync(DateTime after, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = databases.OpenForServer();
        // Of every organisation: time passes for all of them.
        return await db.Threads.AsNoTracking().IgnoreQueryFilters().Where(t => t.PendingExpiresAt <= now && t.PendingExpiresAt > after && t.PendingTurnId != null).OrderBy(t => t.PendingExpiresAt).Take(Batch).ToListAsync(cancellationToken);
    }
}
