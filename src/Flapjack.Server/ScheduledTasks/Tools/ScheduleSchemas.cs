using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Server.ScheduledTasks.Tools;

/// <summary>What models are shown of the tools' arguments.</summary>
internal static class ScheduleSchemas
{
    private const string Fields = """
        "prompt":{"type":"string","description":"What you will be told."},
        "title":{"type":"string"},
        "run_at":{"type":"string","description":"Once, at this ISO 8601 time; without an offset it is local time of the timezone."},
        "in_minutes":{"type":"integer","description":"Once, so many minutes from now."},
        "cron":{"type":"string","description":"Again and again: minute, hour, day of the month, month, day of the week, such as 0 9 * * MON."},
        "every_minutes":{"type":"integer","description":"Again and again, so many minutes apart."},
        "timezone":{"type":"string","description":"IANA name, such as Europe/Oslo."}
        """;

    public static readonly JsonElement Schedule = Of($$"""
        {"type":"object","additionalProperties":false,"required":["prompt"],"properties":{ {{Fields}},
            "same_thread":{"type":"boolean","description":"In this conversation (default), or each time in a new one."} } }
        """);

    public static readonly JsonElement List = Of("""
        {"type":"object","additionalProperties":false,"properties":{
            "status":{"type":"string","enum":["active","paused","finished","failed"]}}}
        """);

    public static readonly JsonElement Update = Of($$"""
        {"type":"object","additionalProperties":false,"required":["task_id"],"properties":{
            "task_id":{"type":"string"}, {{Fields}},
            "same_thread":{"type":"boolean","description":"In this conversation, or each time in a new one."},
            "status":{"type":"string","enum":["active","paused"]} } }
        """);

    public static readonly JsonElement Cancel = Of("""
        {"type":"object","additionalProperties":false,"required":["task_id"],"properties":{"task_id":{"type":"string"}}}
        """);

    // Through a node, so that models do not pay for the white space above.
    private static JsonElement Of(string schema) => JsonSerializer.SerializeToElement(JsonNode.Parse(schema));
}
