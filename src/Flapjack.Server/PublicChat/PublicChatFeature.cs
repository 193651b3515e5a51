using Flapjack.Server.Platform.Idempotency;

namespace Flapjack.Server.PublicChat;

internal static class PublicChatFeature
{
    public static IServiceCollection AddPublicChat(this IServiceCollection services) => services
        .AddSingleton<VisitorSessions>()
        .AddScoped<ChatDoor>()
        .AddKeyedScoped<IIdempotentReplay, PublicChatReplay>(PublicChatReplay.Protocol);

    public static void MapPublicChat(this IEndpointRouteBuilder app)
    {
        PublicChatEndpoints.Map(app);
        ChatPageEndpoints.Map(app);
    }
}
