using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>A model that a turn may be answered by.</summary>
/// <param name="Id">Model id as requested.</param>
/// <param name="Open">Opens the model; called only when its turn comes.</param>
public sealed record ModelCandidate(string Id, Func<IChatClient> Open);

/// <summary>Lets the next model answer when one refuses (400, 403, 404) or stays unavailable. Each switch is announced by a <see cref="ModelFallbackContent"/>; there is none once content was sent.</summary>
/// <param name="modelId">Id of the first model, as requested.</param>
/// <param name="inner">The first model, retries around it.</param>
/// <param name="fallbacks">Tried in order.</param>
public sealed class FallbackChatClient(string modelId, IChatClient inner, IReadOnlyList<ModelCandidate> fallbacks) : DelegatingChatClient(inner)
{
    /// <inheritdoc />
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyCollection<ChatMessage> ?? [.. messages];
        var model = InnerClient;
        var answeredBy = modelId;
        for (var next = 0; ; next++)
        {
            ModelException failure;
            var updates = model.GetStreamingResponseAsync(prompt, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
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
                    catch (ModelException fault) when (!answering && next < fallbacks.Count && MayFallBack(fault))
                    {
                        failure = fault;
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
            var candidate = fallbacks[next];
            yield return new ChatResponseUpdate(ChatRole.Assistant, [new ModelFallbackContent(answeredBy, candidate.Id, failure.Status)]) { ModelId = candidate.Id };
            (model, answeredBy) = (candidate.Open(), candidate.Id);
        }
    }

    /// <inheritdoc />
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    private static bool MayFallBack(ModelException fault) => fault.Status is 400 or 403 or 404 || fault.Code == ModelErrors.Unavailable;
}
