using System.Runtime.CompilerServices;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>Reads a log as it grows, for features that wait for its end and want to know what happens meanwhile.</summary>
internal static class FollowedEvents
{
    /// <summary>Every event from the first to the last.</summary>
    public static async IAsyncEnumerable<LoggedEvent> FollowAsync(this EventLog log, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var (next, position) = (0, 0); ;)
        {
            // Asked before the look: what is there afterwards is then all there is.
            var ended = log.IsEnded;
            for (; log.At(next) is { } happened; next++)
            {
                position = happened.End;
                yield return happened;
            }
            if (ended) yield break;
            await log.WaitAsync(position).WaitAsync(cancellationToken);
        }
    }
}
