using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Npgsql;
using Quartz;

namespace Flapjack.Server.Platform.Scheduling;

/// <summary>Quartz on the server's own database: clustered on PostgreSQL, alone on SQLite.</summary>
internal static class SchedulingSetup
{
    /// <summary>Of the scheduler, in the container and in the tables. A scheduler without a name would make its clock everybody's.</summary>
    public const string Name = "flapjack";

    // Jobs look after many things in one round; a node that is busy with two of them leaves the others to other nodes.
    private const int Threads = 2;

    public static IServiceCollection AddScheduling(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton<WaitingWork>();
        services.AddSingleton<SchedulerTroubles>();
        services.AddSingleton<SchedulerEnd>();
        services.AddSingleton<ServerLife>();
        services.AddSingleton<HousekeepingRounds>();
        services.AddSingleton<HousekeepingSchedule>();
        services.AddHostedService<NodeHousekeeping>();
        services.AddQuartz(Name, quartz => Configure(quartz, settings));
        if (settings.UsesPostgres) services.AddOptions<QuartzSchedulerOptions>(Name).Configure<NodeName>((options, node) => options.InstanceId = node.Value);
        services.AddSingleton<JobScheduler>();
        return services.AddHostedService(provider => provider.GetRequiredService<JobScheduler>());
    }

    private static void Configure(IQuartzBuilder quartz, ServerSettings settings)
    {
        quartz.ConfigureScheduler(options => options.PropagateTraceContext = false);
        quartz.UseTimeProvider(TimeProvider.System);
        quartz.UseDefaultThreadPool(Threads);
        quartz.AddSchedulerListener(provider => provider.GetRequiredService<SchedulerTroubles>());
        quartz.UsePersistentStore(store =>
        {
            if (settings.UsesPostgres) store.UsePostgres(source => source.DataSourceFactory = provider => provider.GetRequiredService<NpgsqlDataSource>()).UseClustering();
            else store.UseSqlite(settings.ConnectionString);
            store.ConfigureStore(options =>
            {
                options.TablePrefix = "qrtz_";
                options.StoreJobDataAsStrings = true;
                // An outage is heard of at its first failure, and over soon after the database is back.
                options.RetryableActionErrorLogThreshold = 1;
                options.DbRetryInterval = TimeSpan.FromSeconds(5);
                // The migrations make the tables.
                options.SchemaProvisioning = SchemaProvisioning.None;
            });
        });
    }
}
