using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Asks which schema a database has, in SQL both databases understand.</summary>
internal static class SchemaSql
{
    private const string UndefinedTable = "42P01";

    /// <summary>The newest migration applied; null in a new database. Throws when the database does not answer.</summary>
    /// <remarks>Asked past EF Core, which would log a new database's missing table as an error.</remarks>
    public static async Task<string?> NewestAppliedAsync(FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.CommandText = "SELECT MAX(\"MigrationId\") FROM \"__EFMigrationsHistory\"";
            return await command.ExecuteScalarAsync(cancellationToken) as string;
        }
        catch (DbException exception) when (exception.SqlState == UndefinedTable || exception is SqliteException { SqliteErrorCode: 1 })
        {
            return null;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }
}
