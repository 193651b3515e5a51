using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Flapjack.Server.Platform.Storage.Sqlite;

/// <summary>How connections to SQLite are set up.</summary>
internal static class SqliteSetup
{
    /// <summary>How long a locked file is waited for; the driver would try for half a minute.</summary>
    public const int BusySeconds = 5;

    /// <summary>FULL keeps the promise that acknowledged means on disk; with shared commits it costs one flush a batch.</summary>
    public const string ConnectionPragmas = "PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON;";

    /// <summary>The file a connection string names.</summary>
    public static string FileOf(string connectionString) => new SqliteConnectionStringBuilder(connectionString).DataSource;

    /// <summary>Write-ahead logging is a property of the file, so it is set once.</summary>
    public static void Prepare(string connectionString)
    {
        using var connection = new SqliteConnection(connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode=WAL;";
        command.ExecuteNonQuery();
    }
}

/// <summary>Sets up the connections that EF Core opens.</summary>
internal sealed class SqliteConnectionSetup : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Apply(connection);

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Apply(connection);
        return Task.CompletedTask;
    }

    private static void Apply(DbConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = SqliteSetup.ConnectionPragmas;
        command.ExecuteNonQuery();
    }
}
