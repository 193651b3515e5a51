using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>Forgets messages that were answered a day ago: providers repeat no message after that.</summary>
internal sealed class EventsSweep(IWriter writer, TimeProvider time) : IHousekeepingTask
{
    /// <summary>How long a repeated message is known.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    public string Name => "channel messages";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public Task RunAsync(CancellationToken cancellationToken) => Batches.DeleteAsync(writer, [InboxSql.Sweep(time.Now() - Lifetime)], cancellationToken);
}
