using System.Data.Common;
using System.Reflection;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Brings the database to this version's schema at start. Nodes that start together take turns by EF Core's own migration lock.</summary>
internal static partial class SchemaMigration
{
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var settings = services.GetRequiredService<ServerSettings>();
        if (!settings.UsesPostgres) SqliteSetup.Prepare(settings.ConnectionString);
        await using var db = services.GetRequiredService<Databases>().OpenForServer();
        if (await IsCurrentAsync(db, cancellationToken)) return;
        LogMigrating(services.GetRequiredService<ILogger<FlapjackDb>>(), Newest);
        await db.Database.MigrateAsync(cancellationToken);
    }

    /// <summary>True when the newest migration was applied. Throws when the database does not answer.</summary>
    /// <remarks>The migrations machinery costs a good part of a second at start; asking for the newest row costs a millisecond. Asked past EF Core, which would log a new database's missing table as an error.</remarks>
    public static async Task<bool> IsCurrentAsync(FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.CommandText = "SELECT MAX(\"MigrationId\") FROM \"__EFMigrationsHistory\"";
            return await command.ExecuteScalarAsync(cancellationToken) is string applied && string.CompareOrdinal(applied, Newest) >= 0;
        }
        catch (DbException exception) when (exception.SqlState == UndefinedTable || exception is SqliteException { SqliteErrorCode: 1 })
        {
            return false;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private const string UndefinedTable = "42P01";

    private static string Newest { get; } = typeof(FlapjackDb).Assembly.GetTypes()
        .Select(t => t.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().Max(StringComparer.Ordinal)!;

    [LoggerMessage(1, LogLevel.Information, "Bringing the database to schema {Newest}")]
    private static partial void LogMigrating(ILogger logger, string newest);
}
