using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Tests.Models;

namespace Flapjack.Server.Tests.Logs;

public sealed class LogsTests
{
    private static readonly DateTime Noon = new(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_list_has_the_contract_s_fields_in_their_order()
    {
        await using var server = await ServerFixture.StartAsync();
        var id = await server.AddTraceAsync(Noon, tags: """["production"]""", cost: 0.0234);
        var page = await server.Client.GetAsync("/api/logs", Token).ShouldBe(200);
        page.GetProperty("nextCursor").ValueKind.ShouldBe(JsonValueKind.Null);
        var trace = page.GetProperty("traces").EnumerateArray().Single();
        trace.GetRawText().ShouldBe(
            $$"""{"id":"{{id}}","org_id":"{{await server.OrgIdAsync()}}","agent_id":null,"runner_id":null,"thread_id":null,"run_id":null,"session_id":"sess_1","user_id":null""" +
            ""","name":"chat-turn","status":"ok","started_at":"2026-05-01T12:00:00Z","ended_at":"2026-05-01T12:00:03Z","duration_ms":3000,"total_input_tokens":1250,"total_output_tokens":480,"total_cost_usd":0.0234""" +
            ""","tags":["production"],"span_count":2,"error_count":0,"llm_call_count":1,"tool_call_count":0}""");
    }

    [Fact]
    public async Task Pages_lose_nothing_even_when_traces_start_together()
    {
        await using var server = await ServerFixture.StartAsync();
        var ids = new List<Guid>();
        foreach (var offset in (double[])[0, 0, 0, 0.000001, 1.5, 1.5, 2]) ids.Add(await server.AddTraceAsync(Noon.AddMicroseconds(offset * 1_000_000), "t", status: offset == 2 ? "running" : "ok"));
        var seen = new List<Guid>();
        var times = new List<string>();
        string? cursor = null;
        do
        {
            var page = await server.Client.GetAsync("/api/logs?limit=2" + (cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor)), Token).ShouldBe(200);
            seen.AddRange(page.GetProperty("traces").EnumerateArray().Select(t => t.GetProperty("id").GetGuid()));
            times.AddRange(page.GetProperty("traces").EnumerateArray().Select(t => t.GetProperty("started_at").GetString()!));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);
        seen.Order().ShouldBe(ids.Order());
        times[0].ShouldBe("2026-05-01T12:00:02Z");
        times[1].ShouldBe("2026-05-01T12:00:01.500Z");
        times[3].ShouldBe("2026-05-01T12:00:00.000001Z");
        (await server.Client.GetAsync("/api/logs?status=running", Token).ShouldBe(200)).GetProperty("traces")[0].GetProperty("ended_at").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Filters_narrow_the_list()
    {
        await using var server = await ServerFixture.StartAsync();
        var (agent, runner, thread, run) = (Ids.New(), Ids.New(), Ids.New(), Ids.New());
        var a = await server.AddTraceAsync(Noon, "chat-turn", agentId: agent, threadId: thread, userId: "u-1", cost: 0.5, tags: """["a\"b","production"]""");
        var b = await server.AddTraceAsync(Noon.AddHours(1), "Runner-Run", status: "error", runnerId: runner, runId: run, tags: """["prod"]""");
        foreach (var (query, expected) in new (string, Guid[])[]
        {
            ($"agent_id={agent}", [a]), ($"agentId={agent}", [a]), ($"thread_id={thread}", [a]), ($"threadId={thread}", [a]), ($"runner_id={runner}", [b]), ($"run_id={run}", [b]), ($"agent_id={Ids.New()}", []),
            ("status=error", [b]), ("status=ok", [a]), ("status=all", [b, a]), ("q=RUN", [b]), ("q=turn", [a]), ("q=%25", []), ("tag=prod", [b]), ("tag=production", [a]), ("tag=a%22b", [a]), ("tag=nope", []),
            ("user_id=u-1", [a]), ("userId=u-1", [a]), ("min_cost_usd=0.5", [a]), ("min_cost_usd=0.51", []), ("from=2026-05-01T12:30:00Z", [b]), ("to=2026-05-01T12:30:00Z", [a]), ("from=2026-05-01T14:00:00%2B02:00&to=2026-05-01T12:00:01Z", [a]),
            ("limit=100000", [b, a]),
        })
        {
            var page = await server.Client.GetAsync("/api/logs?" + query, Token).ShouldBe(200);
            page.GetProperty("traces").EnumerateArray().Select(t => t.GetProperty("id").GetGuid()).ShouldBe(expected, query);
        }
    }

    [Theory]
    [InlineData("limit=0", 422, "VALIDATION_ERROR")]
    [InlineData("limit=x", 400, "INVALID_REQUEST")]
    [InlineData("cursor=x", 422, "VALIDATION_ERROR")]
    [InlineData("cursor=2026-05-01T12:00:00Z|x", 422, "VALIDATION_ERROR")]
    [InlineData("agent_id=x", 422, "VALIDATION_ERROR")]
    [InlineData("status=done", 422, "VALIDATION_ERROR")]
    [InlineData("from=yesterday", 422, "VALIDATION_ERROR")]
    [InlineData("min_cost_usd=x", 400, "INVALID_REQUEST")]
    public async Task Faulty_queries_are_refused(string query, int status, string code)
    {
        await using var server = await ServerFixture.StartAsync();
        await server.Client.GetAsync("/api/logs?" + query, Token).ShouldBeError(status, code);
    }

    [Fact]
    public async Task A_trace_shows_spans_by_start_and_model_fields_on_model_calls_only()
    {
        await using var server = await ServerFixture.StartAsync();
        var id = await server.AddTraceAsync(Noon);
        var (root, model) = await server.AddSpansAsync(id, Noon);
        var detail = await server.Client.GetAsync($"/api/logs/{id}", Token).ShouldBe(200);
        detail.EnumerateObject().Select(p => p.Name).ShouldBe(["trace", "spans", "evaluations"]);
        detail.GetProperty("trace").EnumerateObject().Select(p => p.Name).ShouldBe(
            ["id", "name", "status", "started_at", "ended_at", "duration_ms", "total_input_tokens", "total_output_tokens", "total_cost_usd", "tags", "metadata", "org_id", "agent_id", "runner_id", "thread_id", "run_id", "session_id", "user_id"]);
        var spans = detail.GetProperty("spans").EnumerateArray().ToList();
        spans.Select(s => s.GetProperty("kind").GetString()).ShouldBe(["agent", "llm", "tool"]);
        spans[0].GetRawText().ShouldBe(
            $$"""{"id":"{{root}}","trace_id":"{{id}}","parent_span_id":null,"kind":"agent","name":"Ada","status":"ok","started_at":"2026-05-01T12:00:00Z","ended_at":"2026-05-01T12:00:03Z""" + "\"" +
            ""","input":{"content":"Hello"},"output":null,"error":null,"duration_ms":3000,"attributes":{}}""");
        spans[1].GetRawText().ShouldBe(
            $$"""{"id":"{{model}}","trace_id":"{{id}}","parent_span_id":"{{root}}","kind":"llm","name":"gpt-5.4","status":"ok","started_at":"2026-05-01T12:00:00Z","ended_at":"2026-05-01T12:00:02Z""" + "\"" +
            ""","input":[],"output":{},"error":null,"duration_ms":2000,"attributes":{},"provider":"openai","model":"gpt-5.4","temperature":null,"max_tokens":null,"input_tokens":1250,"output_tokens":480""" +
            ""","cached_input_tokens":0,"cost_usd":0.0234,"credential_source":"platform"}""");
        spans[2].TryGetProperty("model", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_turn_leaves_a_trace()
    {
        await using var server = await ServerFixture.StartAsync();
        var agent = await server.CreateAgentAsync(fields: new { defaultModel = "flapjack-offline" });
        var events = await server.AskAsync(await server.CreateThreadAsync(agent), "/echo hello");
        var turn = events[^1].Data.GetProperty("turnId").GetGuid();
        var detail = await server.Client.GetAsync($"/api/logs/{turn}", Token).ShouldBe(200);
        detail.GetProperty("trace").GetProperty("status").GetString().ShouldBe("ok");
        detail.GetProperty("spans").EnumerateArray().Select(s => s.GetProperty("kind").GetString()).ShouldBe(["agent", "llm"]);
    }

    [Fact]
    public async Task Members_see_their_own_threads_and_runners_and_nothing_else()
    {
        await using var server = await ServerFixture.StartAsync();
        var (member, userId) = await server.UserAsync(Role.Member);
        var own = await server.AddTraceAsync(Noon, threadId: await server.AddThreadAsync(userId.ToString()));
        var shared = await server.AddTraceAsync(Noon.AddSeconds(1), threadId: await server.AddThreadAsync(null, participant: userId.ToString()));
        var runner = await server.AddTraceAsync(Noon.AddSeconds(2), runnerId: Ids.New());
        var foreign = await server.AddTraceAsync(Noon.AddSeconds(3), threadId: await server.AddThreadAsync("somebody else"));
        await AssertSees(member, runner, shared, own);
        await member.GetAsync($"/api/logs/{own}", Token).ShouldBe(200);
        await member.GetAsync($"/api/logs/{foreign}", Token).ShouldBeError(404, "NOT_FOUND");
        await member.PostAsync($"/api/logs/{foreign}/evaluations", JsonText.Content("""{"name":"x","score":1}"""), Token).ShouldBeError(404, "NOT_FOUND");
        await AssertSees((await server.UserAsync(Role.Admin)).Client, foreign, runner, shared, own);
        await AssertSees(server.Client, foreign, runner, shared, own);
    }

    [Fact]
    public async Task Another_organisation_s_traces_do_not_exist()
    {
        await using var server = await ServerFixture.StartAsync();
        var foreign = await server.AddTraceAsync(Noon, orgId: Ids.New());
        await server.Client.GetAsync($"/api/logs/{foreign}", Token).ShouldBeError(404, "NOT_FOUND");
        await server.Client.GetAsync("/api/logs/not-an-id", Token).ShouldBeError(404, "NOT_FOUND");
        await AssertSees(server.Client);
    }

    [Fact]
    public async Task Evaluations_are_attached_listed_and_deleted()
    {
        await using var server = await ServerFixture.StartAsync();
        var id = await server.AddTraceAsync(Noon);
        var (root, model) = await server.AddSpansAsync(id, Noon);
        var first = await server.Client.PostAsync($"/api/logs/{id}/evaluations", JsonText.Content("""{"name":"helpful","score":1,"label":"good"}"""), Token).ShouldBe(201);
        first.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "trace_id", "span_id", "source", "name", "score", "label", "comment", "created_by", "created_at"]);
        first.GetProperty("span_id").GetGuid().ShouldBe(root);
        first.GetProperty("source").GetString().ShouldBe("human");
        await server.Client.PostAsync($"/api/logs/{id}/evaluations", JsonText.Content($$"""{"name":"n","label":"l","span_id":"{{model}}","source":"llm_judge","comment":"c"}"""), Token).ShouldBe(201);
        var (user, userId) = await server.UserAsync(Role.Admin);
        (await user.PostAsync($"/api/logs/{id}/evaluations", JsonText.Content("""{"name":"n","score":0.5}"""), Token).ShouldBe(201)).GetProperty("created_by").GetGuid().ShouldBe(userId);
        (await server.Client.GetAsync($"/api/logs/{id}", Token).ShouldBe(200)).GetProperty("evaluations").GetArrayLength().ShouldBe(3);
        var path = $"/api/logs/{id}/evaluations/{first.GetProperty("id").GetGuid()}";
        (await server.Client.DeleteAsync(path, Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await server.Client.DeleteAsync(path, Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("""{"score":1}""", "name")]
    [InlineData("""{"name":"x"}""", "score")]
    [InlineData("""{"name":"x","label":" "}""", "label")]
    [InlineData("""{"name":"x","score":1,"source":"oracle"}""", "source")]
    [InlineData("""{"name":"x","score":1,"spanId":"x"}""", "spanId")]
    public async Task Faulty_evaluations_are_refused(string body, string field)
    {
        await using var server = await ServerFixture.StartAsync();
        var id = await server.AddTraceAsync(Noon);
        await server.Client.PostAsync($"/api/logs/{id}/evaluations", JsonText.Content(body), Token).ShouldBeError(422, "VALIDATION_ERROR", field);
        await server.Client.PostAsync($"/api/logs/{id}/evaluations", JsonText.Content($$"""{"name":"x","score":1,"spanId":"{{Ids.New()}}"}"""), Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Users_cannot_pass_for_machines()
    {
        await using var server = await ServerFixture.StartAsync();
        var id = await server.AddTraceAsync(Noon);
        var (user, _) = await server.UserAsync(Role.Admin);
        await user.PostAsync($"/api/logs/{id}/evaluations", JsonText.Content("""{"name":"x","score":1,"source":"heuristic"}"""), Token).ShouldBeError(422, "VALIDATION_ERROR", "source");
        using var reader = await server.KeyClientAsync("agents:read");
        await reader.GetAsync("/api/logs", Token).ShouldBeError(403, "FORBIDDEN");
    }

    private static async Task AssertSees(HttpClient client, params Guid[] expected) =>
        (await client.GetAsync("/api/logs", Token).ShouldBe(200)).GetProperty("traces").EnumerateArray().Select(t => t.GetProperty("id").GetGuid()).ShouldBe(expected);
}
