using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Wire;

/// <summary>Reads one protocol's events into updates; one instance per answer.</summary>
internal abstract class AnswerReader(ModelEndpoint endpoint)
{
    /// <summary>The provider's own end marker was seen: the answer is whole.</summary>
    public bool Ended { get; protected set; }

    /// <summary>Nothing of interest follows; the socket need not be read on.</summary>
    public bool Complete { get; protected set; }

    protected ModelEndpoint Endpoint => endpoint;
    protected ChatFinishReason FinishReason { get; set; } = ChatFinishReason.Stop;
    protected bool UsageSeen { get; set; }
    protected ModelUsage Usage { get; set; }

    /// <summary>An update, or null when the event says nothing to the caller. Faults leave as <see cref="ModelException"/>, broken JSON as the parser's own exceptions.</summary>
    public abstract ChatResponseUpdate? Read(string eventType, ReadOnlySpan<byte> data);

    /// <summary>The last update: what was still held back, usage and the finish reason.</summary>
    public virtual ChatResponseUpdate Finish()
    {
        var last = new ChatResponseUpdate(ChatRole.Assistant, (IList<AIContent>)[]) { ModelId = endpoint.Id, FinishReason = FinishReason };
        if (UsageSeen)
        {
            last.Contents.Add(new UsageContent(new()
            {
                InputTokenCount = Usage.InputTokens,
                OutputTokenCount = Usage.OutputTokens,
                TotalTokenCount = Usage.InputTokens + Usage.OutputTokens,
                CachedInputTokenCount = Usage.CacheReadTokens,
                AdditionalCounts = new() { [ModelUsage.CacheWriteCount] = Usage.CacheWriteTokens },
            }));
        }
        return last;
    }

    protected ChatResponseUpdate? Text(string? delta) =>
        string.IsNullOrEmpty(delta) ? null : new(ChatRole.Assistant, delta) { ModelId = endpoint.Id };

    protected ChatResponseUpdate Content(AIContent content) => new(ChatRole.Assistant, [content]) { ModelId = endpoint.Id };
}
