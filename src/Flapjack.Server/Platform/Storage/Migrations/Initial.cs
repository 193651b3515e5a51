using System.Reflection;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>The first schema.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0001_initial")]
internal sealed class Initial : ScriptMigration;

/// <summary>A migration whose SQL stands in <c>Sqlite/Migrations</c> and <c>Postgres/Migrations</c> under the migration's id.</summary>
internal abstract class ScriptMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        var dialect = ActiveProvider!.Contains("Sqlite", StringComparison.Ordinal) ? "Sqlite" : "Postgres";
        var name = $"Flapjack.Server.Platform.Storage.{dialect}.Migrations.{GetType().GetCustomAttribute<MigrationAttribute>()!.Id}.sql";
        using var stream = typeof(ScriptMigration).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The script {name} is not embedded.");
        using var reader = new StreamReader(stream);
        migrationBuilder.Sql(reader.ReadToEnd());
    }
}
