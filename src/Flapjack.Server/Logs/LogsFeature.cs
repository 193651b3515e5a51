using Flapjack.Server.Platform.Housekeeping;

namespace Flapjack.Server.Logs;

internal static class LogsFeature
{
    /// <summary>Stands before the features whose work is traced: services stop in reverse order, so the export ends last.</summary>
    public static IServiceCollection AddLogs(this IServiceCollection services)
    {
        services.AddSingleton<OtlpExport>();
        services.AddHostedService(provider => provider.GetRequiredService<OtlpExport>());
        services.AddSingleton<LateSpans>();
        services.AddSingleton<CallTraces>();
        services.AddSingleton<IHousekeepingTask, TraceRetention>();
        return services;
    }

    public static void MapLogs(this IEndpointRouteBuilder app) => LogEndpoints.Map(app);
}
