using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Channels.Slack;
using Flapjack.Server.Channels.Telegram;
using Flapjack.Server.Channels.Tools;
using Flapjack.Server.Channels.Webhooks;
using Flapjack.Server.Channels.WhatsApp;
using Flapjack.Server.Channels.Work;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;

namespace Flapjack.Server.Channels;

internal static class ChannelsFeature
{
    public static IServiceCollection AddChannels(this IServiceCollection services)
    {
        services.AddSingleton<ProviderCalls>();
        services.AddSingleton<IChannelProvider, TelegramProvider>();
        services.AddSingleton<IChannelProvider, SlackProvider>();
        services.AddSingleton<IChannelProvider, WhatsAppProvider>();
        services.AddSingleton<IChannelProvider, WebhookProvider>();
        services.AddSingleton<ChannelProviders>();
        services.AddSingleton<ChannelVault>();
        services.AddSingleton<ChannelEditor>();
        services.AddSingleton<ChannelRegistration>();
        services.AddSingleton<ChannelClearance>();
        services.AddSingleton<ChannelEditingContext>();
        services.AddSingleton<ChannelEditing>();
        services.AddSingleton<IHousekeepingTask>(provider => provider.GetRequiredService<ChannelClearance>());
        services.AddSingleton<IOrgDependant>(provider => provider.GetRequiredService<ChannelClearance>());
        services.AddScoped<IAgentDependant, AgentChannelRemoval>();
        services.AddScoped<IThreadDependant, ThreadContactRemoval>();
        services.AddSingleton<InboxContext>();
        services.AddSingleton<ChannelInbox>();
        services.AddSingleton<ChannelDoor>();
        services.AddSingleton<IHousekeepingTask, EventsSweep>();
        services.AddSingleton<ChannelPost>();
        services.AddSingleton<IAnswerDelivery>(provider => provider.GetRequiredService<ChannelPost>());
        services.AddSingleton<IToolSource, ChannelTools>();
        services.AddSingleton<ContactDesk>();
        services.AddSingleton<ChannelTurnsContext>();
        services.AddSingleton<ChannelTurns>();
        services.AddSingleton<EventWorkContext>();
        services.AddSingleton<EventWork>();
        services.AddSingleton<ChannelServiceContext>();
        return services.AddHostedService<ChannelService>();
    }

    public static void MapChannels(this IEndpointRouteBuilder app)
    {
        ChannelEndpoints.Map(app);
        ContactEndpoints.Map(app);
        HookEndpoints.Map(app);
    }
}
