using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Server.Plans.Tools;

/// <summary>What models are shown of the plan tools' arguments.</summary>
internal static class PlanSchemas
{
    public static readonly JsonElement PlanCreate = Of($$"""
        {"type":"object","additionalProperties":false,"required":["title"],"properties":{
            "title":{"type":"string"},
            "description":{"type":"string"},
            "todos":{"type":"array","items":{{Todo(PlanTree.MaxLevels)}} } } }
        """);

    public static readonly JsonElement PlanUpdate = Of("""
        {"type":"object","additionalProperties":false,"properties":{
            "plan_id":{"type":"string","description":"The newest open plan when absent."},
            "title":{"type":"string"},
            "description":{"type":"string"},
            "status":{"type":"string","enum":["in_progress","completed","cancelled"]}}}
        """);

    public static readonly JsonElement TodoAdd = Of("""
        {"type":"object","additionalProperties":false,"required":["content"],"properties":{
            "content":{"type":"string"},
            "plan_id":{"type":"string","description":"The newest open plan when absent."},
            "parent_id":{"type":"string","description":"The todo it is part of."},
            "blocked_by":{"type":"array","items":{"type":"string"},"description":"Todos that have to be closed first."}}}
        """);

    public static readonly JsonElement TodoUpdate = Of("""
        {"type":"object","additionalProperties":false,"required":["todo_id"],"properties":{
            "todo_id":{"type":"string"},
            "status":{"type":"string","enum":["pending","in_progress","done","skipped"]},
            "content":{"type":"string"},
            "note":{"type":"string"}}}
        """);

    // Written out level by level: not every provider follows a reference of a schema to itself.
    private static string Todo(int levels) => $$"""
        {"type":"object","additionalProperties":false,"required":["content"],"properties":{
            "content":{"type":"string"},{{(levels == 1 ? "" : $$"""
            "children":{"type":"array","items":{{Todo(levels - 1)}} },
            """)}}
            "blocked_by":{"type":"array","items":{"type":"integer"},"description":"Todos that have to be closed first, as places in the whole list counted depth first from 0."} } }
        """;

    // Through a node, so that models do not pay for the white space above.
    private static JsonElement Of(string schema) => JsonSerializer.SerializeToElement(JsonNode.Parse(schema));
}
