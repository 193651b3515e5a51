using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Keys;

/// <summary>Revokes the keys of an organisation that was deleted.</summary>
internal sealed class KeyRevocation(Databases databases, Revocations revocations, TimeProvider time) : IOrgDependant
{
    public async Task OnOrgDeletedAsync(Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var live = await db.ApiKeys.Where(k => k.RevokedAt == null).ToListAsync(cancellationToken);
        foreach (var key in live) key.RevokedAt = time.Now();
        await db.SaveChangesAsync(cancellationToken);
        foreach (var key in live) revocations.Revoke(key.Id);
    }
}
