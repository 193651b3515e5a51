using System.Text.Json;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.McpServer.Tools;

internal sealed class SearchKnowledgeTool(KnowledgeAnswers answers) : IMcpTool
{
    public string Name => "search_knowledge";

    public string Description => "Finds pieces of the documents that an agent answers from.";

    public JsonElement InputSchema { get; } = JsonElement.Parse("""
        {"type":"object","additionalProperties":false,"required":["query"],"properties":{"query":{"type":"string","maxLength":8000},
        "agentId":{"type":"string","description":"Everything this agent sees; or threadId, or scopeType and scopeId."},"threadId":{"type":"string"},
        "scopeType":{"type":"string","enum":["org","agent","thread"]},"scopeId":{"type":"string"},
        "limit":{"type":"integer","minimum":1,"maximum":50,"description":"Default 6."},"mode":{"type":"string","enum":["auto","lexical","vector","hybrid"]},
        "minScore":{"type":"number","minimum":0,"maximum":1},"filter":{"type":"object","description":"Equality on metadata of documents."}}}
        """);

    public string? Scope => Scopes.KnowledgeRead;

    public bool IsReadOnly => true;

    public Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken) => answers.FindAsync(call.Arguments, cancellationToken);
}
