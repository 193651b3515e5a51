using Flapjack.Server.Agents;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels;

/// <summary>Erases channels that were deleted, once their provider knows. A provider that cannot be told for a day is left alone: the address answers it 404.</summary>
internal sealed class ChannelClearance(ChannelRegistration registration, Databases databases, TimeProvider time) : IHousekeepingTask, IOrgDependant
{
    private const int Batch = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    public string Name => "deleted channels";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        // Of every organisation: cleaning is the server's own work.
        foreach (var row in await db.Channels.IgnoreQueryFilters().AsNoTracking().Where(c => c.RemovedAt != null).OrderBy(c => c.RemovedAt).Take(Batch).ToListAsync(cancellationToken)) await ClearAsync(row, cancellationToken);
    }

    /// <summary>Tells the provider and erases the channel with its contacts; their threads stay.</summary>
    public async Task ClearAsync(Channel row, CancellationToken cancellationToken)
    {
        if (!await registration.UnregisterAsync(row, cancellationToken) && row.RemovedAt > time.Now() - Patience) return;
        await using var db = databases.Open(row.OrgId);
        await db.Channels.Where(c => c.Id == row.Id && c.RemovedAt != null).ExecuteDeleteAsync(cancellationToken);
    }

    public async Task OnOrgDeletedAsync(Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        foreach (var row in await db.Channels.AsNoTracking().Where(c => c.Enabled).ToListAsync(cancellationToken)) await registration.UnregisterAsync(row, cancellationToken);
    }
}

/// <summary>A deleted agent has no channels any more. The providers are told afterwards, outside the transaction.</summary>
internal sealed class AgentChannelRemoval(FlapjackDb db, TimeProvider time) : IAgentDependant
{
    public async Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await db.Channels.Where(c => c.AgentId == agentId && c.RemovedAt == null).ExecuteUpdateAsync(rows => rows.SetProperty(c => c.RemovedAt, now), cancellationToken);
    }

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>A contact whose thread is deleted is in none.</summary>
internal sealed class ThreadContactRemoval(FlapjackDb db) : IThreadDependant
{
    public Task OnDeletedAsync(Guid threadId, CancellationToken cancellationToken) =>
        db.ChannelContacts.Where(c => c.ThreadId == threadId).ExecuteUpdateAsync(rows => rows.SetProperty(c => c.ThreadId, (Guid?)null), cancellationToken);
}
