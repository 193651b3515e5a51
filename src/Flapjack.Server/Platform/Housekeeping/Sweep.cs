using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Platform.Housekeeping;

/// <summary>Deletes in batches until one comes back empty, so that no statement holds the database for long. The last statement of a batch says whether anything was left.</summary>
internal static class Batches
{
    public static async Task DeleteAsync(IWriter writer, SqlStatement[] batch, CancellationToken cancellationToken)
    {
        var heavy = Array.ConvertAll(batch, static statement => statement with { Heavy = true });
        while ((await writer.WriteAsync(heavy, cancellationToken)).Affected[^1] > 0) cancellationToken.ThrowIfCancellationRequested();
    }
}

internal sealed class IdempotencySweep(IWriter writer, TimeProvider time) : IHousekeepingTask
{
    public string Name => "idempotency records";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public Task RunAsync(CancellationToken cancellationToken) =>
        Batches.DeleteAsync(writer, [IdempotencySql.Sweep(time.Now() - IdempotencyStore.Lifetime)], cancellationToken);
}

internal sealed class LimitsSweep(RequestLimits limits, VisitorLimits visitors) : IHousekeepingTask
{
    public string Name => "rate limit windows";

    public HousekeepingScope Scope => HousekeepingScope.Node;

    public Task RunAsync(CancellationToken cancellationToken)
    {
        limits.Sweep();
        visitors.Sweep();
        return Task.CompletedTask;
    }
}
