using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals.Postgres;

namespace Flapjack.Server.Platform.Signals;

internal static class SignalsSetup
{
    public static IServiceCollection AddSignals(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton<NodeName>();
        services.AddSingleton<SignalHandlers>();
        if (!settings.UsesPostgres) return services.AddSingleton<ISignals, InProcessSignals>();
        services.AddSingleton<SignalListener>();
        services.AddSingleton<SignalSender>();
        services.AddSingleton<ISignals, PostgresSignals>();
        services.AddHostedService(provider => provider.GetRequiredService<SignalSender>());
        return services.AddHostedService(provider => provider.GetRequiredService<SignalListener>());
    }
}
