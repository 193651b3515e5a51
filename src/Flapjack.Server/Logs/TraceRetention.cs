using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Logs;

/// <summary>Deletes traces older than <c>Logs:RetentionDays</c> with their spans and evaluations; 0 keeps them.</summary>
internal sealed class TraceRetention(IWriter writer, ServerSettings settings, TimeProvider time) : IHousekeepingTask
{
    public string Name => "old traces";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public Task RunAsync(CancellationToken cancellationToken) => settings.Logs.RetentionDays == 0
        ? Task.CompletedTask
        : Batches.DeleteAsync(writer, TraceRetentionSql.Batch(time.Now().AddDays(-settings.Logs.RetentionDays)), cancellationToken);
}

internal static class TraceRetentionSql
{
    private const string Oldest = "(SELECT id FROM log_traces WHERE started_at < $1 ORDER BY started_at, id LIMIT 200)";

    public static SqlStatement[] Batch(DateTime before) =>
    [
        new($"DELETE FROM log_spans WHERE trace_id IN {Oldest}", [before]),
        new($"DELETE FROM log_evaluations WHERE trace_id IN {Oldest}", [before]),
        new($"DELETE FROM log_traces WHERE id IN {Oldest}", [before]),
    ];
}
