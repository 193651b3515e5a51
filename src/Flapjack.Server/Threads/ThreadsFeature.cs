using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Forks;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads;

internal static class ThreadsFeature
{
    public static IServiceCollection AddThreads(this IServiceCollection services)
    {
        services.AddSingleton<ThreadOpening>();
        services.AddScoped<ThreadRemoval>();
        services.AddScoped<ThreadFork>();
        services.AddScoped<Agents.IAgentDependant, ThreadArchive>();
        services.AddSingleton<NodeName>();
        services.AddSingleton<OwnedWrites>();
        services.AddSingleton<LeaseBook>();
        services.AddSingleton<TurnResumption>();
        services.AddSingleton<TurnRecovery>();
        services.AddSingleton<StoredStreams>();
        services.AddSingleton<LiveTurns>();
        services.AddSingleton<TurnTraces>();
        services.AddSingleton<TurnStore>();
        services.AddSingleton<TurnHistory>();
        services.AddSingleton<AttachmentIntake>();
        services.AddSingleton<AttachmentPrompt>();
        services.AddSingleton<TurnHostContext>();
        services.AddSingleton<TurnHost>();
        services.AddSingleton<PendingActions>();
        services.AddSingleton<TurnStops>();
        services.AddSingleton<TurnQueue>();
        services.AddSingleton<TurnContinuation>();
        services.AddSingleton<TurnAttachment>();
        services.AddSingleton<TurnOpeningContext>();
        services.AddScoped<TurnPlanner>();
        services.AddScoped<TurnOpening>();
        services.AddHostedService<TurnLeases>();
        services.AddHostedService<TurnCheckpoints>();
        services.AddScoped<Platform.Idempotency.IIdempotentReplay, TurnReplay>();
        return services;
    }

    public static void MapThreads(this IEndpointRouteBuilder app)
    {
        ThreadEndpoints.Map(app);
        ForkEndpoints.Map(app);
        ParticipantEndpoints.Map(app);
        MessageEndpoints.Map(app);
    }
}
