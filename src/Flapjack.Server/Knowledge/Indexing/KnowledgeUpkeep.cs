using Flapjack.Server.Models;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>Queues what is due: addresses to be fetched again, documents with vectors of another model, or with none because that failed. Clears away what a crash left of deleted documents and broken uploads.</summary>
internal sealed class KnowledgeUpkeep(IWriter writer, IReader reader, DocumentRows rows, IndexQueue queue, EmbeddingModels models, TimeProvider time) : IHousekeepingTask
{
    /// <summary>An upload that takes longer has broken off.</summary>
    private static readonly TimeSpan LongestUpload = TimeSpan.FromHours(1);

    /// <summary>A document that no model takes is not to be paid for every round.</summary>
    private static readonly TimeSpan EmbedAgain = TimeSpan.FromHours(1);

    public string Name => "knowledge";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        await Batches.DeleteAsync(writer, [IndexSql.FetchDue(now)], cancellationToken);
        if (models.Model is { } model) await Batches.DeleteAsync(writer, [IndexSql.OtherModel(model, now, now - EmbedAgain)], cancellationToken);
        queue.Wake();
        await EraseAsync(now, cancellationToken);
        await Batches.DeleteAsync(writer, [DocumentSql.EraseEmptyScopes()], cancellationToken);
    }

    private async Task EraseAsync(DateTime now, CancellationToken cancellationToken)
    {
        while (true)
        {
            var hidden = await reader.ReadAllAsync(DocumentSql.Hidden(now - LongestUpload), static row => row.Id(), cancellationToken);
            if (hidden.Count == 0) return;
            foreach (var document in hidden)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await rows.EraseAsync(document);
            }
        }
    }
}

/// <summary>A change of the embedding model or its key shows at the start, and documents need not wait for the next round.</summary>
internal sealed partial class ModelChange(IWriter writer, IndexQueue queue, EmbeddingModels models, TimeProvider time, ILogger<ModelChange> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (models.Model is not { } model) return;
        try
        {
            await Task.Yield();
            var (queued, now) = (0, time.Now());
            while ((await writer.WriteAsync([IndexSql.OtherModel(model, now, now)], stoppingToken)).Affected[0] is > 0 and var some) queued += some;
            if (queued > 0) LogQueued(logger, queued, model);
            queue.Wake();
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogLater(logger, exception);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Documents} documents are embedded anew with {Model}")]
    private static partial void LogQueued(ILogger logger, int documents, string model);

    [LoggerMessage(2, LogLevel.Warning, "Documents with vectors of another model are looked for later")]
    private static partial void LogLater(ILogger logger, Exception exception);
}
