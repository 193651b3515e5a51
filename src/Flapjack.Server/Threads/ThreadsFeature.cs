using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Compactions;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Forks;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Streams.Relay;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads;

internal static class ThreadsFeature
{
    public static IServiceCollection AddThreads(this IServiceCollection services)
    {
        services.AddSingleton<ThreadOpening>();
        services.AddScoped<ThreadRemoval>();
        services.AddScoped<ThreadViews>();
        services.AddScoped<Participants>();
        services.AddScoped<ThreadFork>();
        services.AddScoped<Agents.IAgentDependant, ThreadArchive>();
        services.AddSingleton<ThreadChanges>();
        services.AddSingleton<TurnSignals>();
        services.AddHostedService(provider => provider.GetRequiredService<TurnSignals>());
        services.AddSingleton<StreamRelays>();
        services.AddSingleton<StreamMirrors>();
        services.AddSingleton<TurnStreamsContext>();
        services.AddSingleton<TurnStreams>();
        services.AddHostedService<RelayRounds>();
        services.AddSingleton<Platform.Identity.IOrgDependant, OrgTurnsEnd>();
        services.AddSingleton<DatabasePatience>();
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
        services.AddSingleton<TurnMaterial>();
        services.AddSingleton<ThreadCompactor>();
        services.AddSingleton<TurnHostContext>();
        services.AddSingleton<TurnHost>();
        services.AddSingleton<PendingActions>();
        services.AddSingleton<TurnStops>();
        services.AddSingleton<TurnQueue>();
        services.AddSingleton<TurnContinuation>();
        services.AddSingleton<TurnAttachment>();
        services.AddSingleton<TurnOpeningContext>();
        services.AddScoped<TurnPlanner>();
        services.AddScoped<TurnAddressing>();
        services.AddScoped<TurnOpening>();
        services.AddSingleton<DetachedRemoval>();
        services.AddSingleton<ChildTurns>();
        services.AddSingleton<UnattendedContext>();
        services.AddSingleton<UnattendedTurns>();
        services.AddSingleton<DeferredTurns>();
        services.AddScoped<TurnImport>();
        services.AddScoped<PastAttachments>();
        services.AddScoped<GuestTurns>();
        services.AddSingleton<Platform.Housekeeping.IHousekeepingTask, ExpiredThreads>();
        services.AddSingleton<Platform.Housekeeping.IHousekeepingTask, ExpiredActions>();
        services.AddHostedService<TurnLeases>();
        services.AddHostedService<TurnCheckpoints>();
        services.AddScoped<TurnReplay>();
        services.AddScoped<Platform.Idempotency.IIdempotentReplay>(provider => provider.GetRequiredService<TurnReplay>());
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
