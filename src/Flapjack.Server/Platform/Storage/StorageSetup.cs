using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage.Postgres;
using Flapjack.Server.Platform.Storage.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Flapjack.Server.Platform.Storage;

internal static class StorageSetup
{
    public static IServiceCollection AddStorage(this IServiceCollection services, ServerSettings settings)
    {
        if (settings.UsesPostgres) AddPostgres(services, settings.ConnectionString);
        else AddSqlite(services, settings.ConnectionString);
        services.AddScoped<CallerContext>();
        services.AddSingleton<Databases>();
        services.AddHostedService<ModelWarmUp>();
        services.AddScoped(provider => provider.GetRequiredService<Databases>().Open(provider.GetRequiredService<CallerContext>()));
        return services;
    }

    private static void AddSqlite(IServiceCollection services, string connectionString)
    {
        var directory = Path.GetDirectoryName(SqliteSetup.FileOf(connectionString));
        if (!string.IsNullOrEmpty(directory)) Directory.CreateDirectory(directory);
        services.AddSingleton<SqliteGate>();
        services.AddSingleton<IWriter>(provider => new SqliteWriter(connectionString, provider.GetRequiredService<SqliteGate>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IReader>(provider => new SqliteReader(connectionString, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ISqlDialect, SqliteDialect>();
        services.AddPooledDbContextFactory<FlapjackDb>(options => Common(options.UseSqlite(connectionString).AddInterceptors(new SqliteConnectionSetup())));
    }

    private static void AddPostgres(IServiceCollection services, string connectionString)
    {
        var address = PostgresAddress.Normalise(connectionString);
        var source = new NpgsqlDataSourceBuilder(address).Build();
        services.AddSingleton(source);
        services.AddSingleton(provider => PostgresPulse.Of(address, PostgresPulse.Patience, provider));
        services.AddHostedService(provider => provider.GetRequiredService<PostgresPulse>());
        services.AddSingleton(_ => new PostgresGroups(address));
        services.AddSingleton<IWriter, PostgresWriter>();
        services.AddSingleton<IReader, PostgresReader>();
        services.AddSingleton<ISqlDialect, PostgresDialect>();
        services.AddPooledDbContextFactory<FlapjackDb>((provider, options) => Common(options.UseNpgsql(source).AddInterceptors(new ContextConnections(provider.GetRequiredService<PostgresPulse>()))));
    }

    private static void Common(DbContextOptionsBuilder options) => options
        .UseQueryTrackingBehavior(QueryTrackingBehavior.TrackAll)
        .EnableThreadSafetyChecks(false)
        .ConfigureWarnings(w => w
            .Ignore(RelationalEventId.PendingModelChangesWarning, CoreEventId.PossibleIncorrectRequiredNavigationWithQueryFilterInteractionWarning)
            // What fails here throws; whoever cannot handle it logs it, once. Statements are for debugging.
            .Log((RelationalEventId.CommandExecuted, LogLevel.Debug), (RelationalEventId.CommandError, LogLevel.Debug), (CoreEventId.QueryIterationFailed, LogLevel.Debug), (CoreEventId.SaveChangesFailed, LogLevel.Debug),
                (RelationalEventId.MigrationApplying, LogLevel.Debug), (RelationalEventId.ModelSnapshotNotFound, LogLevel.Debug), (RelationalEventId.AcquiringMigrationLock, LogLevel.Debug)));
}
