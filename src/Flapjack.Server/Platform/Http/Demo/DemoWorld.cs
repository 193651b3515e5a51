using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Settings;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Platform.Http.Demo;

/// <summary>What the demo key sees: one agent with one thread, and answers that are never stored. Reads no database and calls no model.</summary>
/// <remarks>Stands below the features, since they hand its methods to <c>.Demo(…)</c> and it must know none of them.</remarks>
internal static class DemoWorld
{
    public static readonly Guid OrgId = new("00000000-0000-0000-0000-00000000d3a0");
    public static readonly Guid AgentId = new("00000000-0000-0000-0000-0000000a6e47");
    public static readonly Guid ThreadId = new("00000000-0000-0000-0000-0000000074ed");
    public static readonly Guid TraceId = new("00000000-0000-0000-0000-00000000ace0");
    public static readonly Guid UserMessageId = new("00000000-0000-0000-0000-0000000a5c01");
    public static readonly Guid AssistantMessageId = new("00000000-0000-0000-0000-0000000a5c02");

    public const string AgentName = "Demo Agent";

    /// <summary>A read of a single resource of a kind that the demo world has none of.</summary>
    public static IResult NotFound(HttpContext context) => throw ApiException.NotFound();

    /// <summary>A list of things of which the demo world has none.</summary>
    public static IResult EmptyList(HttpContext context) => Json("[]");

    public static IResult Agents(HttpContext context) => Json($"[{DemoFixtures.Agent(withPreamble: false)}]");

    public static IResult Agent(HttpContext context)
    {
        RequireRoute(context, "agentId", AgentId, "Agent");
        return Json(DemoFixtures.Agent(withPreamble: true));
    }

    /// <summary>A config of the demo agent, with its defaults.</summary>
    public static Func<HttpContext, IResult> AgentConfig<T>(T defaults) => context =>
    {
        RequireRoute(context, "agentId", AgentId, "Agent");
        return Json(JsonSerializer.Serialize(defaults, WireJson.Responses));
    };

    public static IResult Threads(HttpContext context)
    {
        var agent = new Query(context.Request).Id("agentId", "agent_id") ?? throw ApiException.Invalid("agentId", "is required");
        if (agent != AgentId) throw ApiException.NotFound("Agent");
        return Json($$"""{"threads":[{{DemoFixtures.Thread().ToJsonString(DemoFixtures.Text)}}],"nextCursor":null}""");
    }

    public static IResult Thread(HttpContext context)
    {
        RequireThread(context);
        return Json(DemoFixtures.Thread());
    }

    /// <summary>Answers as a creation would, with the fields that were sent.</summary>
    public static async Task<IResult> CreateThread(HttpContext context)
    {
        var request = await ReadAsync<DemoThreadRequest>(context);
        var errors = new FieldErrors();
        var agent = errors.Id("agentId", request.AgentId.Value, required: true);
        var thread = DemoFixtures.Thread();
        request.ApplyTo(thread, errors, isNew: true);
        errors.ThrowIfAny();
        if (agent != AgentId) throw ApiException.NotFound("Agent");
        return Json(thread);
    }

    /// <summary>Answers as a change would, with the fields that were sent.</summary>
    public static async Task<IResult> UpdateThread(HttpContext context)
    {
        var request = await ReadAsync<DemoThreadRequest>(context);
        RequireThread(context);
        var errors = new FieldErrors();
        var thread = DemoFixtures.Thread();
        request.ApplyTo(thread, errors, isNew: false);
        errors.ThrowIfAny();
        return Json(thread);
    }

    public static IResult Messages(HttpContext context)
    {
        RequireThread(context);
        var query = new Query(context.Request);
        var (limit, offset) = (query.Integer("limit", 100, 1, 200), query.Integer("offset", 0, 0, int.MaxValue));
        IEnumerable<string> messages = DemoFixtures.Messages;
        if (query.OneOf("order", "asc", "asc", "desc") == "desc") messages = messages.Reverse();
        return Json($$"""{"messages":[{{string.Join(',', messages.Skip(offset).Take(limit))}}],"total":{{DemoFixtures.Messages.Count}}}""");
    }

    /// <summary>Streams an answer that says what this is and where to sign up. Tools and tool results are ignored.</summary>
    public static async Task<IResult> SendMessage(HttpContext context)
    {
        var request = await ReadAsync<DemoMessageRequest>(context, BodyLimit.Messages);
        RequireThread(context);
        var hasOther = request.ToolResults.Value is { ValueKind: JsonValueKind.Array } results && results.GetArrayLength() > 0
            || request.Attachments.Value is { ValueKind: JsonValueKind.Array } files && files.GetArrayLength() > 0;
        if (string.IsNullOrWhiteSpace(request.Content.Value) && !hasOther) throw ApiException.Invalid("content", "is required");
        var services = context.RequestServices;
        var signup = PublicAddress.SignupUrl(context.Request, services.GetRequiredService<ServerSettings>());
        return new DemoAnswerStream(signup, services.GetRequiredService<TimeProvider>().Now(), asStream: request.Stream.Value ?? true);
    }

    public static IResult Stop(HttpContext context)
    {
        RequireThread(context);
        return TypedResults.Ok(Deleted.Ok);
    }

    public static IResult Participants(HttpContext context)
    {
        RequireThread(context);
        return Json("[]");
    }

    public static IResult Sources(HttpContext context)
    {
        RequireThread(context);
        RequireRoute(context, "messageId", AssistantMessageId, "Message");
        return Json($$"""{"message_id":"{{AssistantMessageId}}","sources":[]}""");
    }

    /// <summary>The demo world has no documents.</summary>
    public static IResult Documents(HttpContext context)
    {
        var query = new Query(context.Request);
        if (query.Text("scopeType", "scope_type") is null) throw ApiException.Invalid("scopeType", "is required");
        if (query.Id("scopeId", "scope_id") is null) throw ApiException.Invalid("scopeId", "is required");
        return Json("[]");
    }

    public static IResult Logs(HttpContext context)
    {
        var query = new Query(context.Request);
        var shown = (query.Id("agent_id", "agentId") ?? AgentId) == AgentId
            && (query.Id("thread_id", "threadId") ?? ThreadId) == ThreadId
            && query.Id("runner_id", "runnerId") is null && query.Id("run_id", "runId") is null
            && query.OneOf("status", "all", "all", "running", "ok", "error") is ("all" or "ok");
        return Json($$"""{"traces":[{{(shown ? DemoFixtures.TraceSummary : "")}}],"nextCursor":null}""");
    }

    public static IResult Log(HttpContext context)
    {
        RequireRoute(context, "traceId", TraceId, "Trace");
        return Json(DemoFixtures.Trace);
    }

    private static void RequireThread(HttpContext context) => RequireRoute(context, "threadId", ThreadId, "Thread");

    private static void RequireRoute(HttpContext context, string name, Guid expected, string what)
    {
        if (!Guid.TryParse(context.GetRouteValue(name) as string, out var id) || id != expected) throw ApiException.NotFound(what);
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, long limit = BodyLimit.Default) where T : class, new()
    {
        var raw = await RequestBytes.ReadAsync(context.Request, limit, context.RequestAborted);
        return raw.Length == 0 ? new T() : RequestBytes.Parse<T>(raw.Span);
    }

    private static ContentHttpResult Json(JsonObject value) => Json(value.ToJsonString(DemoFixtures.Text));

    private static ContentHttpResult Json(string json) => TypedResults.Text(json, "application/json; charset=utf-8");
}
