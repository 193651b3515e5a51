using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Server.Memory.Tools;

/// <summary>What models are shown of the memory tools' arguments.</summary>
internal static class MemorySchemas
{
    public static readonly JsonElement Store = Of("""
        {"type":"object","additionalProperties":false,"required":["content"],"properties":{
            "content":{"type":"string","maxLength":2000},
            "scope":{"type":"string","enum":["agent","thread","resource"]},
            "resource":{"type":"string","description":"type:id of a resource, when several are bound."}}}
        """);

    public static readonly JsonElement Recall = Of("""
        {"type":"object","additionalProperties":false,"required":["query"],"properties":{
            "query":{"type":"string"},
            "scope":{"type":"string","enum":["agent","thread","resource"]},
            "limit":{"type":"integer","minimum":1,"maximum":50,"default":5}}}
        """);

    public static readonly JsonElement Forget = Of("""
        {"type":"object","additionalProperties":false,"properties":{
            "memory_id":{"type":"string"},
            "query":{"type":"string","description":"Removes the memory that says nearly this."}}}
        """);

    // Through a node, so that models do not pay for the white space above.
    private static JsonElement Of(string schema) => JsonSerializer.SerializeToElement(JsonNode.Parse(schema));
}
