using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Server.Platform.Http.Demo;

/// <summary>The demo world's objects, as the wire spells them.</summary>
internal static class DemoFixtures
{
    public const string Model = "flapjack-offline";
    private const string Created = "2026-04-01T12:00:00Z";

    public static readonly JsonSerializerOptions Text = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Agent(bool withPreamble)
    {
        var preamble = withPreamble ? """ "stable_preamble":"You are a friendly demo agent.", """ : "";
        return $$"""
            {"id":"{{DemoWorld.AgentId}}","org_id":"{{DemoWorld.OrgId}}","name":"{{DemoWorld.AgentName}}","description":"Shows what an agent looks like",{{preamble}}"default_model":"{{Model}}",
            "temperature":null,"tool_profiles":null,"default_profile":null,"scheduled_tasks_enabled":false,"runtime_provider":null,"computer":{"enabled":false},"published_chats":[],
            "project_id":null,"max_tool_calls":10,"max_output_tokens":null,"metadata":{},"created_at":"{{Created}}","updated_at":"{{Created}}"}
            """;
    }

    public static JsonObject Thread() => new()
    {
        ["id"] = DemoWorld.ThreadId,
        ["org_id"] = DemoWorld.OrgId,
        ["agent_id"] = DemoWorld.AgentId,
        ["title"] = null,
        ["kind"] = "single",
        ["status"] = "active",
        ["active_profile"] = null,
        ["system_prompt_overlay"] = null,
        ["resource_bindings"] = new JsonArray(),
        ["user_id"] = null,
        ["awaiting_action"] = false,
        ["active_turn_id"] = null,
        ["parent_thread_id"] = null,
        ["forked_from_message_id"] = null,
        ["metadata"] = new JsonObject(),
        ["created_at"] = Created,
        ["updated_at"] = Created,
    };

    public static readonly IReadOnlyList<string> Messages =
    [
        $$"""
        {"id":"{{DemoWorld.UserMessageId}}","role":"user","content":"Hello","sender_name":null,"created_at":"{{Created}}","sender_id":null,"attachments":[],"stopped":false,
        "error":null,"model":null,"turn_id":"{{DemoWorld.TraceId}}","usage":null}
        """,
        $$"""
        {"id":"{{DemoWorld.AssistantMessageId}}","role":"assistant","content":"Hi! I am the demo agent.","sender_name":null,"created_at":"2026-04-01T12:00:01Z","sender_id":null,"attachments":[],
        "stopped":false,"error":null,"model":"{{Model}}","turn_id":"{{DemoWorld.TraceId}}",
        "usage":{"input_tokens":7,"output_tokens":6,"cache_read_tokens":0,"cache_write_tokens":0,"cost_usd":0} }
        """,
    ];

    public static readonly string TraceSummary = $$"""
        {"id":"{{DemoWorld.TraceId}}","org_id":"{{DemoWorld.OrgId}}","agent_id":"{{DemoWorld.AgentId}}","runner_id":null,"thread_id":"{{DemoWorld.ThreadId}}","run_id":null,
        "session_id":"sess_{{DemoWorld.ThreadId}}","user_id":null,"name":"chat-turn","status":"ok","started_at":"{{Created}}","ended_at":"2026-04-01T12:00:01Z","duration_ms":1000,
        "total_input_tokens":7,"total_output_tokens":6,"total_cost_usd":0,"tags":["source:api"],"span_count":2,"error_count":0,"llm_call_count":1,"tool_call_count":0}
        """;

    private const string RootSpan = "00000000-0000-0000-0000-00000000ace1", ModelSpan = "00000000-0000-0000-0000-00000000ace2";

    public static readonly string Trace = $$"""
        {"trace":{"id":"{{DemoWorld.TraceId}}","name":"chat-turn","status":"ok","started_at":"{{Created}}","ended_at":"2026-04-01T12:00:01Z","duration_ms":1000,"total_input_tokens":7,
        "total_output_tokens":6,"total_cost_usd":0,"tags":["source:api"],"metadata":{},"org_id":"{{DemoWorld.OrgId}}","agent_id":"{{DemoWorld.AgentId}}","runner_id":null,
        "thread_id":"{{DemoWorld.ThreadId}}","run_id":null,"session_id":"sess_{{DemoWorld.ThreadId}}","user_id":null},
        "spans":[{"id":"{{RootSpan}}","trace_id":"{{DemoWorld.TraceId}}","parent_span_id":null,"kind":"agent","name":"Demo Agent","status":"ok","started_at":"{{Created}}",
        "ended_at":"2026-04-01T12:00:01Z","input":{"content":"Hello"},"output":{"content":"Hi! I am the demo agent."},"error":null,"duration_ms":1000,"attributes":{} },
        {"id":"{{ModelSpan}}","trace_id":"{{DemoWorld.TraceId}}","parent_span_id":"{{RootSpan}}","kind":"llm","name":"{{Model}}","status":"ok","started_at":"{{Created}}",
        "ended_at":"2026-04-01T12:00:01Z","input":[{"role":"user","content":"Hello"}],"output":{"content":"Hi! I am the demo agent.","finish_reason":"stop"},"error":null,"duration_ms":1000,
        "attributes":{},"provider":"flapjack","model":"{{Model}}","temperature":null,"max_tokens":null,"input_tokens":7,"output_tokens":6,"cached_input_tokens":0,"cost_usd":0,
        "credential_source":"platform"}],"evaluations":[]}
        """;
}
