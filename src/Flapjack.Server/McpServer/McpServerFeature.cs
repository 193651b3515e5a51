using Flapjack.Server.McpServer.Tools;
using Flapjack.Server.Platform.Housekeeping;

namespace Flapjack.Server.McpServer;

internal static class McpServerFeature
{
    public static IServiceCollection AddMcpServer(this IServiceCollection services) => services
        .AddSingleton<McpCalls>()
        .AddSingleton<McpListeners>()
        .AddSingleton<IHousekeepingTask, McpSessionSweep>()
        .AddScoped<McpSessions>()
        .AddScoped<McpMethods>()
        .AddScoped<McpAnswers>()
        .AddScoped<Asking>()
        .AddScoped<IMcpTool, ListAgentsTool>()
        .AddScoped<IMcpTool, AskAgentTool>()
        .AddScoped<IMcpTool, AskTool>()
        .AddScoped<IMcpTool, ListThreadsTool>()
        .AddScoped<IMcpTool, GetMessagesTool>()
        .AddScoped<IMcpTool, SearchKnowledgeTool>();

    public static void MapMcpServer(this IEndpointRouteBuilder app) => McpEndpoints.Map(app);
}
