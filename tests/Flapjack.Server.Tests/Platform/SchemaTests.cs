using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Platform;

/// <summary>Migrations are written by hand; this holds what they make against what the code expects, on both databases.</summary>
public sealed class SchemaTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string SqliteColumns = """
        SELECT m.name || '.' || c.name || CASE WHEN c."notnull" = 1 THEN ' required' ELSE ' optional' END AS "Value"
        FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'
        """;

    private const string PostgresColumns = """
        SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN ' required' ELSE ' optional' END AS "Value"
        FROM information_schema.columns WHERE table_schema = 'public'
        """;

    private const string SqliteIndexes = """SELECT name AS "Value" FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL""";
    private const string PostgresIndexes = """SELECT indexname AS "Value" FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix%'""";

    private bool IsPostgres => server.Services.GetRequiredService<ServerSettings>().UsesPostgres;

    [Fact]
    public async Task The_migrations_make_the_columns_the_code_expects()
    {
        await using var db = server.Services.GetRequiredService<Databases>().OpenForServer();
        var made = await db.Database.SqlQueryRaw<string>(IsPostgres ? PostgresColumns : SqliteColumns).ToListAsync(TestContext.Current.CancellationToken);
        var expected = Tables(db).SelectMany(table => table.Columns, (table, column) => $"{table.Name}.{column.Name} {(column.IsNullable ? "optional" : "required")}");
        made.Where(IsOurs).Order(StringComparer.Ordinal).ShouldBe(expected.Order(StringComparer.Ordinal), "Add a migration to Sqlite/Migrations and Postgres/Migrations that makes what the entities map.");
    }

    [Fact]
    public async Task The_migrations_make_the_indexes_the_code_expects()
    {
        await using var db = server.Services.GetRequiredService<Databases>().OpenForServer();
        var made = await db.Database.SqlQueryRaw<string>(IsPostgres ? PostgresIndexes : SqliteIndexes).ToListAsync(TestContext.Current.CancellationToken);
        made.Where(IsOurs).Order(StringComparer.Ordinal).ShouldBe(Tables(db).SelectMany(table => table.Indexes).Select(index => index.Name).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<ITable> Tables(FlapjackDb db) => db.Model.GetRelationalModel().Tables;

    // Quartz's tables are no entities: that they are what Quartz wants shows in SchedulingTests.
    private static bool IsOurs(string name) =>
        !name.StartsWith("__EF", StringComparison.Ordinal) && !name.StartsWith("sqlite_", StringComparison.Ordinal) && !name.StartsWith("qrtz_", StringComparison.Ordinal) && !name.StartsWith("IDX_qrtz_", StringComparison.Ordinal);
}
