namespace Flapjack.Server.Operations;

internal static class OperationsFeature
{
    public static IServiceCollection AddOperations(this IServiceCollection services)
    {
        services.AddSingleton<Readiness>();
        services.AddSingleton<MetricStore>();
        services.AddSingleton<MetricsAccess>();
        return services;
    }

    public static void MapOperations(this WebApplication app)
    {
        // Counting begins with the first request, not with the first look at the numbers.
        app.Services.GetRequiredService<MetricStore>();
        OperationsEndpoints.Map(app);
        DocsEndpoints.Map(app);
    }
}
