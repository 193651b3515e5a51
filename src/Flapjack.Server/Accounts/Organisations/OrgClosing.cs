using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Deletes an organisation.</summary>
/// <remarks>
/// 1 In one transaction nobody belongs to it any more, 2 what runs or is remembered for it ends, 3 its rows are erased. After a crash in
/// between, and for what other nodes were still writing, <see cref="ClosedOrgSweep"/> does 2 and 3 again.
/// </remarks>
internal sealed class OrgClosing(FlapjackDb db, OrgErasure erasure, TimeProvider time)
{
    public async Task CloseAsync(Guid orgId, string? confirm, CancellationToken cancellationToken)
    {
        await ShutAsync(orgId, confirm, cancellationToken);
        // From here on it is deleted, whether or not somebody waits for the answer.
        await erasure.EraseAsync(orgId, CancellationToken.None);
    }

    private async Task ShutAsync(Guid orgId, string? confirm, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Of two owners who delete the last two organisations at once, one must see what the other did: they queue for a row that every server has.
        await db.SigningKeys.Where(k => k.Id == SigningKey.FirstId).ExecuteUpdateAsync(rows => rows.SetProperty(k => k.CreatedAt, k => k.CreatedAt), cancellationToken);
        var org = await db.Organisations.FirstOrDefaultAsync(o => o.Id == orgId && o.DeletedAt == null, cancellationToken) ?? throw ApiException.NotFound("Organisation");
        if (string.IsNullOrEmpty(confirm)) throw ApiException.Invalid("confirm", "is required: the slug of the organisation");
        if (confirm != org.Slug) throw ApiException.Invalid("confirm", "is not the slug of the organisation");
        if (!await db.Organisations.AnyAsync(o => o.Id != orgId && o.DeletedAt == null, cancellationToken)) throw ApiException.Conflict("this is the last organisation of the server");
        // The slug is free again at once.
        (org.DeletedAt, org.Slug) = (time.Now(), $"deleted-{orgId:N}");
        await db.SaveChangesAsync(cancellationToken);
        await db.Memberships.Where(m => m.OrgId == orgId).ExecuteDeleteAsync(cancellationToken);
        await db.Invites.Where(i => i.OrgId == orgId).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
