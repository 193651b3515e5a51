using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>Removes threads that were to be kept for a while only. One that is used again is kept for another while.</summary>
internal sealed class ExpiredThreads(Databases databases, DetachedRemoval removals, TimeProvider time) : IHousekeepingTask
{
    /// <summary>How long threads of calls without a thread are kept.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    private const int Batch = 100;

    public string Name => "expired threads";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var expired = await FindAsync(cancellationToken);
            foreach (var (id, org) in expired) await removals.RemoveAsync(id, org, cancellationToken);
            if (expired.Count < Batch) return;
        }
    }

    private async Task<List<(Guid Id, Guid OrgId)>> FindAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        var unused = now - Lifetime;
        await using var db = databases.OpenForServer();
        // Of every organisation: cleaning is the server's own work.
        var rows = await db.Threads.IgnoreQueryFilters().Where(t => t.ExpiresAt <= now && t.UpdatedAt <= unused && t.ActiveTurnId == null)
            .OrderBy(t => t.ExpiresAt).Select(t => new { t.Id, t.OrgId }).Take(Batch).ToListAsync(cancellationToken);
        return rows.ConvertAll(row => (row.Id, row.OrgId));
    }
}
