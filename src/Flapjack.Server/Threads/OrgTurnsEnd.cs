using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

/// <summary>Stops the turns of an organisation that was deleted.</summary>
internal sealed class OrgTurnsEnd(Databases databases, TurnStops stops) : IOrgDependant
{
    private const int AtOnce = 50;

    public async Task OnOrgDeletedAsync(Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var busy = await db.Threads.AsNoTracking().Where(t => t.ActiveTurnId != null || t.PendingTurnId != null).ToListAsync(cancellationToken);
        foreach (var threads in busy.Chunk(AtOnce)) await Task.WhenAll(threads.Select(thread => stops.StopAsync(thread, cancellationToken)));
    }
}
