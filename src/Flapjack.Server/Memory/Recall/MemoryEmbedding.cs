using Flapjack.Runtime.Models;
using Flapjack.Server.Models;

namespace Flapjack.Server.Memory.Recall;

/// <summary>Vectors of memories and questions, where the operator has set an embedding model. Memory works without: who asks gets null, soon, and compares words.</summary>
internal sealed partial class MemoryEmbedding(EmbeddingModels models, TimeProvider time, ILogger<MemoryEmbedding> logger)
{
    // An answer waits for this.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public string? Model => models.Model;

    public async Task<byte[]?> TryAsync(Guid orgId, string text, CancellationToken cancellationToken)
    {
        if (!models.IsConfigured) return null;
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return ShortVector.Of((await models.EmbedAsync(orgId, [text], either.Token))[0]);
        }
        catch (Exception fault) when (fault is ModelException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogWithout(logger, fault, orgId);
            return null;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The embedding model did not answer for organisation {Org}; memories are compared by their words")]
    private static partial void LogWithout(ILogger logger, Exception exception, Guid org);
}
