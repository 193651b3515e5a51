using System.Reflection;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage.Postgres;
using Flapjack.Server.Platform.Storage.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Brings the database to this version's schema at start. Nodes that start together take turns.</summary>
internal static partial class SchemaMigration
{
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var settings = services.GetRequiredService<ServerSettings>();
        if (!settings.UsesPostgres) SqliteSetup.Prepare(settings.ConnectionString);
        var reader = services.GetRequiredService<IReader>();
        if (await IsCurrentAsync(reader, cancellationToken)) return;
        await using var turn = services.GetService<NpgsqlDataSource>() is { } source ? await MigrationTurn.TakeAsync(source, cancellationToken) : null;
        if (await IsCurrentAsync(reader, cancellationToken)) return;
        await using var db = services.GetRequiredService<Databases>().OpenForServer();
        LogMigrating(services.GetRequiredService<ILogger<FlapjackDb>>(), Newest);
        // Nobody waits for an answer here, and a table may be large.
        db.Database.SetCommandTimeout(TimeSpan.FromMinutes(10));
        await db.Database.MigrateAsync(cancellationToken);
    }

    /// <summary>True when the newest migration was applied. Throws when the database does not answer.</summary>
    /// <remarks>The migrations machinery costs a good part of a second at start; asking for the newest row costs a millisecond.</remarks>
    public static async Task<bool> IsCurrentAsync(IReader reader, CancellationToken cancellationToken) =>
        string.CompareOrdinal(await SchemaSql.NewestAppliedAsync(reader, cancellationToken), Newest) >= 0;

    private static string Newest { get; } = typeof(FlapjackDb).Assembly.GetTypes()
        .Select(t => t.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().Max(StringComparer.Ordinal)!;

    [LoggerMessage(1, LogLevel.Information, "Bringing the database to schema {Newest}")]
    private static partial void LogMigrating(ILogger logger, string newest);
}
