using System.Runtime.CompilerServices;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Offline;

/// <summary>The built-in model: rules, no language model. It needs no network and no credential, costs nothing, and gives the same answer to the same prompt.</summary>
internal sealed class OfflineChatClient(TimeProvider time) : IChatClient
{
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prompt = new OfflinePrompt(messages as IReadOnlyList<ChatMessage> ?? [.. messages]);
        var plan = OfflinePlan.Of(prompt);
        if (plan.Think is { } think && think > TimeSpan.Zero)
        {
            await Task.Delay(think, time, cancellationToken);
        }
        if (plan.FailStatus is { } status)
        {
            throw ModelFaults.OfStatus(status);
        }
        var limit = options?.MaxOutputTokens ?? int.MaxValue;
        var tokens = 0;
        var words = 0;
        foreach (var (token, delay) in plan.Tokens())
        {
            if (tokens == limit)
            {
                yield return Last(ChatFinishReason.Length, prompt.Words, words);
                yield break;
            }
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, time, cancellationToken);
            }
            cancellationToken.ThrowIfCancellationRequested();
            tokens++;
            words += OfflinePrompt.WordsIn(token);
            yield return new ChatResponseUpdate(ChatRole.Assistant, token) { ModelId = ModelCatalog.OfflineId };
        }
        if (plan.Calls.Count == 0)
        {
            yield return Last(ChatFinishReason.Stop, prompt.Words, words);
            yield break;
        }
        var calls = new List<AIContent>(plan.Calls.Count);
        foreach (var (name, arguments) in plan.Calls)
        {
            words += OfflinePrompt.WordsIn(arguments);
            calls.Add(ToolCallArguments.Create($"call_{prompt.Calls + calls.Count + 1}", name, arguments));
        }
        yield return new ChatResponseUpdate(ChatRole.Assistant, calls) { ModelId = ModelCatalog.OfflineId };
        yield return Last(ChatFinishReason.ToolCalls, prompt.Words, words);
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose() { }

    private static ChatResponseUpdate Last(ChatFinishReason reason, int input, int output) => new(ChatRole.Assistant,
        [new UsageContent(new()
        {
            InputTokenCount = input,
            OutputTokenCount = output,
            TotalTokenCount = input + output,
            CachedInputTokenCount = 0,
            AdditionalCounts = new() { [ModelUsage.CacheWriteCount] = 0 },
        })])
    { ModelId = ModelCatalog.OfflineId, FinishReason = reason };
}
