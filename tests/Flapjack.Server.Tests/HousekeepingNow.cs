using Flapjack.Server.Platform.Housekeeping;

namespace Flapjack.Server.Tests;

/// <summary>Housekeeping without waiting for it.</summary>
internal static class HousekeepingNow
{
    /// <summary>One round of every task.</summary>
    public static async Task RunAsync(this HousekeepingRounds rounds, CancellationToken cancellationToken)
    {
        foreach (var task in rounds.Tasks) await rounds.RunAsync(task, cancellationToken);
    }
}
