using System.Text.Json;

namespace Flapjack.Server.McpServer.Tools;

/// <summary>Asks any agent of the organisation.</summary>
internal sealed class AskAgentTool(Asking asking) : IMcpTool
{
    public string Name => "ask_agent";

    public string Description => "Sends a message to an agent and waits for its answer. Name the threadId of an earlier answer to go on with that conversation; without it a new one begins.";

    public JsonElement InputSchema { get; } = JsonElement.Parse("""
        {"type":"object","required":["agentId","message"],"properties":{"agentId":{"type":"string","description":"Id of the agent; list_agents has them."},
        "message":{"type":"string","description":"What to say to the agent."},"threadId":{"type":"string","description":"A conversation to go on with."}}}
        """);

    public JsonElement? OutputSchema => Asking.Answer;

    public bool IsReadOnly => false;

    public bool TakesTime => true;

    public Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken) => asking.AskAsync(call.Id("agentId")!.Value, call, cancellationToken);
}

/// <summary>Asks the agent of the endpoint.</summary>
internal sealed class AskTool(Asking asking) : IMcpTool
{
    public string Name => "ask";

    public string Description => "Sends a message to the agent and waits for its answer. Name the threadId of an earlier answer to go on with that conversation; without it a new one begins.";

    public JsonElement InputSchema { get; } = JsonElement.Parse("""
        {"type":"object","required":["message"],"properties":{"message":{"type":"string","description":"What to say to the agent."},
        "threadId":{"type":"string","description":"A conversation to go on with."}}}
        """);

    public JsonElement? OutputSchema => Asking.Answer;

    public bool IsReadOnly => false;

    public bool IsOfOneAgent => true;

    public bool TakesTime => true;

    public Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken) => asking.AskAsync(call.AgentId!.Value, call, cancellationToken);
}
