using System.Diagnostics;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Lets a running turn wait for a database that is away: up to five minutes, and no longer than the server's grace period.</summary>
/// <remarks>The clock is the real one: it is a database that has to recover.</remarks>
internal sealed partial class DatabasePatience(Draining draining, ILogger<DatabasePatience> logger)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5), FirstWait = TimeSpan.FromMilliseconds(250), LongestWait = TimeSpan.FromSeconds(4);

    /// <summary>Does the work again until the database takes it. The work must have no effect when it throws, or one that a repetition recognises.</summary>
    /// <param name="turn">For the log.</param>
    /// <param name="work">Told whether it is a repetition.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task WorkAsync(Guid turn, Func<bool, ValueTask> work, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        var wait = FirstWait;
        for (var repeated = false; ; repeated = true)
        {
            try
            {
                await work(repeated);
                return;
            }
            catch (Exception exception) when (DatabaseFaults.IsOutage(exception) && Stopwatch.GetElapsedTime(since) < Longest && !draining.GraceOver.IsCancellationRequested)
            {
                if (!repeated) LogWaiting(logger, exception, turn);
            }
            // The end of the grace period allows one more attempt.
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(draining.GraceOver, cancellationToken))
            {
                await Task.Delay(wait, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            cancellationToken.ThrowIfCancellationRequested();
            wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, LongestWait.Ticks));
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Turn {Turn} waits for the database")]
    private static partial void LogWaiting(ILogger logger, Exception exception, Guid turn);
}
