using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Files;

/// <summary>Deletes files that no message used within a day, and what uploads that broke off have left.</summary>
internal sealed class FileSweep(IWriter writer, TimeProvider time) : IHousekeepingTask
{
    public string Name => "unused files";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public Task RunAsync(CancellationToken cancellationToken) => Batches.DeleteAsync(writer, [FileSql.Sweep(time.Now())], cancellationToken);
}
