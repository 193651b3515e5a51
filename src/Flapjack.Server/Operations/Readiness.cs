using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Platform.Storage.Sqlite;

namespace Flapjack.Server.Operations;

/// <summary>Finds out whether this node can serve: it is not stopping, and database, schema and data directory are there.</summary>
internal sealed partial class Readiness(IReader reader, Draining draining, ServerSettings settings, ILogger<Readiness> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async Task<ReadinessResponse> CheckAsync(CancellationToken cancellationToken)
    {
        var (database, migrations) = await CheckDatabaseAsync(cancellationToken);
        var checks = new Dictionary<string, string>
        {
            ["database"] = Word(database),
            ["migrations"] = Word(migrations),
            ["storage"] = Word(CanWrite()),
        };
        var failed = string.Join(", ", checks.Where(c => c.Value != "ok").Select(c => c.Key));
        if (draining.IsDraining) return new() { Status = "draining", Checks = checks, Error = "SERVICE_UNAVAILABLE", Detail = "this node is stopping" };
        if (failed.Length > 0) return new() { Status = "unavailable", Checks = checks, Error = "SERVICE_UNAVAILABLE", Detail = $"failing: {failed}" };
        return new() { Status = "ready", Checks = checks };
    }

    private async Task<(bool Database, bool Migrations)> CheckDatabaseAsync(CancellationToken cancellationToken)
    {
        // Open connections still read a file that was moved away; whoever opens it next does not find it.
        if (!settings.UsesPostgres && !IsThere(SqliteSetup.FileOf(settings.ConnectionString))) return (false, false);
        try
        {
            return (true, await SchemaMigration.IsCurrentAsync(reader, cancellationToken).WaitAsync(Patience, cancellationToken));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogDatabase(logger, exception);
            return (false, false);
        }
    }

    // A link counts as there, wherever it leads.
    private static bool IsThere(string file) => File.Exists(file) && File.ResolveLinkTarget(file, returnFinalTarget: true) is not { Exists: false };

    private bool CanWrite()
    {
        try
        {
            var probe = Path.Combine(settings.DataDirectory, $".ready-{Environment.ProcessId}");
            using var file = new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, 1, FileOptions.DeleteOnClose);
            // A full disk still takes an empty file.
            file.Write(new byte[4096]);
            file.Flush();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogStorage(logger, exception);
            return false;
        }
    }

    private static string Word(bool ok) => ok ? "ok" : "failed";

    [LoggerMessage(1, LogLevel.Warning, "Not ready: the database does not answer")]
    private static partial void LogDatabase(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "Not ready: the data directory cannot be written")]
    private static partial void LogStorage(ILogger logger, Exception exception);
}
