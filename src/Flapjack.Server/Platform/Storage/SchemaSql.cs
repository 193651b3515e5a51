using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Asks which schema a database has, in SQL both databases understand.</summary>
internal static class SchemaSql
{
    private const string UndefinedTable = "42P01";

    /// <summary>The newest migration applied; null in a new database. Throws when the database does not answer.</summary>
    /// <remarks>Asked past EF Core, which would log a new database's missing table as an error and take a quarter of a second to wake up.</remarks>
    public static async Task<string?> NewestAppliedAsync(IReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(new("SELECT MAX(\"MigrationId\") FROM \"__EFMigrationsHistory\"", []), static row => row.TextOrNull() ?? "", cancellationToken);
        }
        catch (DbException exception) when (exception.SqlState == UndefinedTable || exception is SqliteException { SqliteErrorCode: 1 })
        {
            return null;
        }
    }
}
