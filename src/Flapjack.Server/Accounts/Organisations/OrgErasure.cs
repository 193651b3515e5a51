using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Ends what a deleted organisation left behind: running work, remembered credentials, rows.</summary>
internal sealed class OrgErasure(Databases databases, IWriter writer, IEnumerable<IOrgDependant> dependants)
{
    public async Task EraseAsync(Guid orgId, CancellationToken cancellationToken)
    {
        foreach (var dependant in dependants) await dependant.OnOrgDeletedAsync(orgId, cancellationToken);
        // Other nodes look for revoked keys among those they know; a row that is gone would tell them nothing.
        foreach (var table in await TablesAsync())
        {
            if (table.Name == "api_keys") continue;
            while ((await writer.WriteAsync([OrgErasureSql.EraseSome(table, orgId)], cancellationToken)).Affected[0] > 0) { }
        }
    }

    /// <summary>The end, when no node can know its keys any more.</summary>
    public async Task ForgetAsync(Guid orgId, CancellationToken cancellationToken)
    {
        await EraseAsync(orgId, cancellationToken);
        await writer.WriteAsync([OrgErasureSql.EraseKeys(orgId), OrgErasureSql.Forget(orgId)], cancellationToken);
    }

    private async ValueTask<List<TenantTable>> TablesAsync()
    {
        await using var db = databases.OpenForServer();
        return [.. db.Model.GetEntityTypes().Where(e => typeof(ITenantRow).IsAssignableFrom(e.ClrType)).Select(e => new TenantTable(e.GetTableName()!, string.Join(", ", e.FindPrimaryKey()!.Properties.Select(p => p.GetColumnName()))))];
    }
}

/// <param name="Name">Its name.</param>
/// <param name="Key">Columns of its primary key.</param>
internal readonly record struct TenantTable(string Name, string Key);

/// <summary>A few rows at a time, so that other writes get their turn in between and no statement takes too long.</summary>
internal static class OrgErasureSql
{
    public static SqlStatement EraseSome(TenantTable table, Guid orgId) => new($"DELETE FROM {table.Name} WHERE ({table.Key}) IN (SELECT {table.Key} FROM {table.Name} WHERE org_id = $1 LIMIT 200)", [orgId]) { Heavy = true };

    public static SqlStatement EraseKeys(Guid orgId) => new("DELETE FROM api_keys WHERE org_id = $1", [orgId]);

    public static SqlStatement Forget(Guid orgId) => new("DELETE FROM organisations WHERE id = $1 AND deleted_at IS NOT NULL", [orgId]);
}

/// <summary>Finishes deletions of organisations that a crash interrupted, and clears away what other nodes wrote meanwhile.</summary>
internal sealed class ClosedOrgSweep(Databases databases, OrgErasure erasure, TimeProvider time) : IHousekeepingTask
{
    private static readonly TimeSpan LastEcho = TimeSpan.FromMinutes(10);

    public string Name => "deleted organisations";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var settled = time.Now() - LastEcho;
        await using var db = databases.OpenForServer();
        foreach (var org in await db.Organisations.AsNoTracking().Where(o => o.DeletedAt != null).Select(o => new { o.Id, o.DeletedAt }).ToListAsync(cancellationToken))
        {
            if (org.DeletedAt <= settled) await erasure.ForgetAsync(org.Id, cancellationToken);
            else await erasure.EraseAsync(org.Id, cancellationToken);
        }
    }
}
