using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.McpServer.Tools;

internal sealed class ListAgentsTool(FlapjackDb db) : IMcpTool
{
    private const int Most = 1_000;

    public string Name => "list_agents";

    public string Description => "Lists the agents of the organisation, newest first. Ask one with ask_agent.";

    public JsonElement InputSchema { get; } = JsonElement.Parse("""{"type":"object","properties":{},"additionalProperties":false}""");

    public JsonElement? OutputSchema { get; } = JsonElement.Parse("""
        {"type":"object","required":["agents"],"properties":{"agents":{"type":"array","items":{"type":"object","required":["id","name","description"],
        "properties":{"id":{"type":"string"},"name":{"type":"string"},"description":{"type":["string","null"]}}}}}}
        """);

    public bool IsReadOnly => true;

    public async Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken)
    {
        var agents = await db.Agents.AsNoTracking().Alive().OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.Id).Take(Most).Select(a => new Listed(a.Id, a.Name, a.Description)).ToListAsync(cancellationToken);
        return JsonSerializer.SerializeToElement(new { agents }, WithNulls);
    }

    private static readonly JsonSerializerOptions WithNulls = new(JsonRpcText.Wire) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.Never };

    private sealed record Listed(Guid Id, string Name, string? Description);
}
