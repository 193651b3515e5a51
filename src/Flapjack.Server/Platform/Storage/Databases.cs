using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Opens the database outside a request. Contexts are pooled, so each lease says for whom it is; forgetting it is not possible here.</summary>
internal sealed class Databases(IDbContextFactory<FlapjackDb> pool, IServiceProvider services)
{
    private readonly SqliteGate? _gate = services.GetService<SqliteGate>();

    /// <summary>For the organisation <paramref name="tenant"/> acts in.</summary>
    public FlapjackDb Open(CallerContext tenant) => pool.CreateDbContext().For(tenant, _gate);

    /// <summary>For work that belongs to one organisation but to no request.</summary>
    public FlapjackDb Open(Guid orgId)
    {
        var tenant = new CallerContext();
        tenant.EnterOrg(orgId);
        return Open(tenant);
    }

    /// <summary>For the server itself: tenant rows are invisible unless a query says <c>IgnoreQueryFilters</c>.</summary>
    public FlapjackDb OpenForServer() => pool.CreateDbContext().For(null, _gate);
}
