using System.Text.Json;
using Flapjack.Server.Threads;

namespace Flapjack.Server.McpServer.Tools;

internal sealed class ListThreadsTool(ThreadViews threads) : IMcpTool
{
    public string Name => "list_threads";

    public string Description => "Lists the threads with an agent, newest first.";

    public JsonElement InputSchema { get; } = JsonElement.Parse("""
        {"type":"object","required":["agentId"],"properties":{"agentId":{"type":"string","description":"Id of the agent; list_agents has them."},
        "limit":{"type":"integer","minimum":1,"maximum":100,"description":"Default 50."},"cursor":{"type":"string","description":"nextCursor of the page before."}}}
        """);

    public bool IsReadOnly => true;

    public Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken) =>
        threads.ListAsync(call.Id("agentId")!.Value, call.Integer("limit", 50, 100), call.Arguments.TryGetProperty("cursor", out var cursor) ? cursor.GetString() : null, cancellationToken);
}

internal sealed class GetMessagesTool(ThreadViews threads) : IMcpTool
{
    public string Name => "get_messages";

    public string Description => "Reads the messages of a thread, oldest first.";

    public JsonElement InputSchema { get; } = JsonElement.Parse("""
        {"type":"object","required":["threadId"],"properties":{"threadId":{"type":"string","description":"Id of the thread."},
        "limit":{"type":"integer","minimum":1,"maximum":200,"description":"How many of the newest messages; default 100."}}}
        """);

    public bool IsReadOnly => true;

    public Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken) => threads.MessagesAsync(call.Id("threadId")!.Value, call.Integer("limit", 100, 200), cancellationToken);
}
