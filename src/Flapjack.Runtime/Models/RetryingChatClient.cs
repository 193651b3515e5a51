using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>Repeats a call that failed transiently, three attempts in all. Only before the first update with content: what a client has read is never taken back.</summary>
/// <param name="inner">The model.</param>
/// <param name="time">Clock of the waits.</param>
/// <param name="jitter">A number from 0 to 1, drawn for each wait; random when null.</param>
public sealed class RetryingChatClient(IChatClient inner, TimeProvider time, Func<double>? jitter = null) : DelegatingChatClient(inner)
{
    private const int Attempts = 3;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    /// <summary>A provider that asks for more patience than this fails at once: the caller is still connected and waiting.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <inheritdoc />
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyCollection<ChatMessage> ?? [.. messages];
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan wait;
            var updates = base.GetStreamingResponseAsync(prompt, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
            try
            {
                var answering = false;
                while (true)
                {
                    try
                    {
                        if (!await updates.MoveNextAsync())
                        {
                            yield break;
                        }
                    }
                    catch (ModelException fault) when (!answering && attempt < Attempts && fault.IsTransient && !(fault.RetryAfter > LongestWait))
                    {
                        wait = WaitAfter(attempt, fault.RetryAfter);
                        break;
                    }
                    answering |= updates.Current.Contents.Count > 0;
                    yield return updates.Current;
                }
            }
            finally
            {
                await updates.DisposeAsync();
            }
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    /// <inheritdoc />
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    private TimeSpan WaitAfter(int attempt, TimeSpan? asked)
    {
        var spread = 1 + 0.1 * (jitter?.Invoke() ?? Random.Shared.NextDouble());
        return asked ?? FirstWait * (1 << (attempt - 1)) * spread;
    }
}
