using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Server-side tools: events, results, limits, profiles, and the history a model reads afterwards.</summary>
public sealed class ToolTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    [Fact]
    public async Task A_call_has_its_events_in_order_and_its_rows()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_a", "weather", """{"city":"Oslo"}""")).After("Looking."), Script.Text("Cold."));
        await using var stream = await world.SendAsync(thread, new { content = "weather?" });
        await stream.EndAsync();
        stream.Seen.Select(e => e.Event).ShouldBe(["meta", "token", "tool_call", "tool_executing", "tool_result", "token", "token", "done"]);
        stream.Seen.Of("tool_call").Single().GetRawText().ShouldBe("""{"tool":{"id":"call_a","name":"weather","arguments":"{\"city\":\"Oslo\"}"}}""");
        stream.Seen.Of("tool_executing").Single().GetRawText().ShouldBe("""{"tool_name":"weather","tool_call_id":"call_a"}""");
        var result = stream.Seen.Of("tool_result").Single();
        result.EnumerateObject().Select(p => p.Name).ShouldBe(["tool_name", "tool_call_id", "result", "is_error", "truncated", "duration_ms"]);
        result.GetProperty("result").GetRawText().ShouldBe("""{"celsius":4}""");
        (result.GetProperty("is_error").GetBoolean(), result.GetProperty("truncated").GetBoolean()).ShouldBe((false, false));

        (await world.MessagesAsync(thread)).Select(m => m.Text("role")).ShouldBe(["user", "assistant"]);
        var page = await world.GetAsync($"/api/threads/{thread}/messages?include=tools");
        page.GetProperty("total").GetInt32().ShouldBe(3);
        var rows = page.GetProperty("messages").EnumerateArray().ToList();
        rows.Select(m => m.Text("role")).ShouldBe(["user", "tool", "assistant"]);
        rows[1].Text("content").ShouldBe("""{"celsius":4}""");
        rows[1].Text("tool_call_id").ShouldBe("call_a");
        rows[2].Text("content").ShouldBe("Looking.\n\nCold.");
        rows[2].GetProperty("tool_calls").GetRawText().ShouldBe("""[{"id":"call_a","name":"weather","arguments":"{\"city\":\"Oslo\"}"}]""");

        // The next turn reads call, result and each text once, in order.
        await using var next = await world.SendAsync(thread, new { content = "thanks" });
        await next.EndAsync();
        Shape().ShouldBe(["user:weather?", "assistant:Looking.", "call:call_a", "result:call_a", "assistant:Cold.", "user:thanks"]);
    }

    public static TheoryData<string, string, string?> Failures => new()
    {
        { "/tool boom", "TOOL_FAILED", "The tool failed." },
        { "/tool gone", "TOOL_HTTP_404", "not there" },
        { "/tool weather {}", "INVALID_ARGUMENTS", null },
        { "/tool weather [1]", "INVALID_ARGUMENTS", null },
        { "/tool weather {not json", "INVALID_ARGUMENTS", null },
        { "/tool nonesuch {}", "UNKNOWN_TOOL", null },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failing_tool_never_ends_the_turn(string directive, string code, string? detail)
    {
        var thread = await world.OpenAsync();
        await using var stream = await world.SendAsync(thread, new { content = directive });
        (await stream.EndAsync()).Data.Text("finishReason").ShouldBe("stop");
        var result = stream.Seen.Of("tool_result").Single();
        result.GetProperty("is_error").GetBoolean().ShouldBeTrue();
        result.GetProperty("result").Text("error").ShouldBe(code);
        if (detail is not null) result.GetProperty("result").Text("detail").ShouldBe(detail);
        stream.Seen.Count(e => e.Event == "tool_call").ShouldBe(1);
        stream.Seen.Count(e => e.Event == "tool_executing").ShouldBe(code is "TOOL_FAILED" or "TOOL_HTTP_404" ? 1 : 0);
        (await world.MessagesAsync(thread, "?include=tools")).Single(m => m.Text("role") == "tool").GetProperty("is_error").GetBoolean().ShouldBeTrue();
        (await world.TraceAsync(thread)).ToString().ShouldNotContain("a secret of the server");
    }

    [Theory]
    [InlineData("words", "\"plain words\"", false)]
    [InlineData("large", null, true)]
    [InlineData("huge", null, true)]
    public async Task Results_are_any_json_and_long_ones_are_cut(string tool, string? result, bool truncated)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_a", tool, "{}")), Script.Text("ok"));
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        await stream.EndAsync();
        var data = stream.Seen.Of("tool_result").Single();
        data.GetProperty("truncated").GetBoolean().ShouldBe(truncated);
        if (result is not null) data.GetProperty("result").GetRawText().ShouldBe(result);
        if (truncated)
        {
            data.GetProperty("result").ValueKind.ShouldBe(JsonValueKind.String);
            System.Text.Encoding.UTF8.GetByteCount(data.Text("result")).ShouldBeLessThanOrEqualTo(64 * 1024);
            var output = world.Upstream.LastRequest.Body.GetProperty("input").EnumerateArray().Single(i => i.TryGetProperty("type", out var t) && t.GetString() == "function_call_output").Text("output");
            output.Length.ShouldBeGreaterThan(65_536);
            output.Length.ShouldBeLessThanOrEqualTo(100_000);
        }
    }

    [Fact]
    public async Task Calls_of_one_step_run_together_and_all_results_precede_the_next_token()
    {
        var thread = await world.OpenAsync();
        string[] keys = [.. Enumerable.Range(1, 4).Select(i => $"par{i} {thread}")];
        await using var stream = await world.SendAsync(thread, new { content = string.Join('\n', keys.Select(k => $$"""/tool hold {"key":"{{k}}"}""")) });
        foreach (var key in keys) await world.Tools.Hold(key).Entered;
        foreach (var key in keys.Reverse())
        {
            world.Tools.Hold(key).Release($"result of {key}");
            (await stream.UntilAsync("tool_result")).Data.Text("result").ShouldBe($"result of {key}");
        }
        await stream.EndAsync();
        foreach (var id in stream.Seen.Of("tool_call").Select(c => c.GetProperty("tool").Text("id")))
        {
            stream.Seen.Where(e => e.Data.ToString().Contains(id, StringComparison.Ordinal)).Select(e => e.Event).ShouldBe(["tool_call", "tool_executing", "tool_result"]);
        }
        var firstToken = stream.Seen.FindIndex(e => e.Event == "token");
        stream.Seen.FindLastIndex(e => e.Event == "tool_result").ShouldBeLessThan(firstToken);
    }

    [Fact]
    public async Task The_eleventh_call_of_a_turn_is_refused_and_the_model_asked_once_more_without_tools()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI, new { maxToolCalls = 2 });
        ScriptedCall Call(int i) => new($"call_{i}", "words", "{}");
        world.Upstream.Reply(Script.ToolCalls(Call(1)), Script.ToolCalls(Call(2), Call(3)), Script.Text("enough"));
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        var done = (await stream.EndAsync()).Data;
        (done.Text("content"), done.Text("finishReason")).ShouldBe(("enough", "tool_limit"));
        stream.Seen.Of("tool_result").Select(r => r.GetProperty("is_error").GetBoolean()).Count(e => e).ShouldBe(1);
        stream.Seen.Of("tool_result").Single(r => r.GetProperty("is_error").GetBoolean()).GetProperty("result").Text("error").ShouldBe("TOOL_LIMIT_REACHED");
        world.Upstream.LastRequest.Body.TryGetProperty("tools", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_profile_hides_tools_and_refuses_them()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI, new { toolProfiles = new { narrow = new { tools = new[] { "wo?ds", "ech*" } }, none = new { tools = Array.Empty<string>(), switchable = false } }, defaultProfile = "narrow" });
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "weather", """{"city":"Oslo"}"""), new ScriptedCall("call_2", "words", "{}")), Script.Text("ok"));
        await using (var stream = await world.SendAsync(thread, new { content = "go" }))
        {
            await stream.EndAsync();
            stream.Seen.Of("tool_result").Single(r => r.Text("tool_call_id") == "call_1").GetProperty("result").Text("error").ShouldBe("TOOL_NOT_ALLOWED");
            stream.Seen.Of("tool_result").Single(r => r.Text("tool_call_id") == "call_2").GetProperty("is_error").GetBoolean().ShouldBeFalse();
        }
        Offered().ShouldBe(["words", "echo"], ignoreOrder: true);
        await using (var stream = await world.SendAsync(thread, new { content = "go", toolProfile = "none", tools = new[] { new { name = "pick" } } })) await stream.EndAsync();
        Offered().ShouldBe(["pick", "propose_profile_switch"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_proposal_follows_its_result_and_the_turn_goes_on()
    {
        var thread = await world.OpenAsync(agent: new { toolProfiles = new { triage = new { tools = Array.Empty<string>() }, full = new { tools = new[] { "*" } }, hidden = new { tools = new[] { "*" }, switchable = false } }, defaultProfile = "triage" });
        await using var stream = await world.SendAsync(thread, new { content = """/tool propose_profile_switch {"target":"full","reason":"need more"}""" });
        (await stream.EndAsync()).Event.ShouldBe("done");
        var at = stream.Seen.FindIndex(e => e.Event == "tool_result");
        stream.Seen[at].Data.GetProperty("result").GetRawText().ShouldBe("""{"proposed":true}""");
        stream.Seen[at + 1].Event.ShouldBe("profile_switch_proposal");
        stream.Seen[at + 1].Data.GetRawText().ShouldBe("""{"target":"full","reason":"need more"}""");
        (await world.ThreadAsync(thread)).GetProperty("active_profile").ValueKind.ShouldBe(JsonValueKind.Null);
        await using var wrong = await world.SendAsync(thread, new { content = """/tool propose_profile_switch {"target":"hidden","reason":"no"}""" });
        (await wrong.EndAsync()).Event.ShouldBe("done");
        wrong.Seen.Of("tool_result").Single().GetProperty("is_error").GetBoolean().ShouldBeTrue();
        wrong.Seen.ShouldNotContain(e => e.Event == "profile_switch_proposal");
    }

    [Fact]
    public async Task An_authorisation_ends_the_turn_after_the_step()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "locked", "{}"), new ScriptedCall("call_2", "words", "{}")).After("Wait."));
        var before = world.Upstream.Requests.Count;
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        var done = (await stream.EndAsync()).Data;
        (done.Text("content"), done.Text("finishReason")).ShouldBe(("Wait.", "auth_challenge"));
        world.Upstream.Requests.Count.ShouldBe(before + 1);
        stream.Seen.Of("auth_challenge").Single().GetRawText().ShouldBe("""{"toolName":"locked","challenge":{"provider":"GitHub","redirectUrl":"https://example.com/authorise","description":"to read your issues"},"toolCallId":"call_1"}""");
        var results = stream.Seen.Of("tool_result").ToDictionary(r => r.Text("tool_call_id"));
        results["call_1"].GetProperty("result").GetRawText().ShouldBe("""{"error":"AUTH_REQUIRED","provider":"GitHub"}""");
        results["call_1"].GetProperty("is_error").GetBoolean().ShouldBeTrue();
        results["call_2"].GetProperty("is_error").GetBoolean().ShouldBeFalse();
        stream.Seen.Where(e => e.Data.ToString().Contains("call_1", StringComparison.Ordinal)).Select(e => e.Event).ShouldBe(["tool_call", "tool_executing", "auth_challenge", "tool_result"]);
        await using var next = await world.SendAsync(thread, new { content = "done it" });
        await next.EndAsync();
        Shape().ShouldBe(["user:go", "assistant:Wait.", "call:call_1", "call:call_2", "result:call_1", "result:call_2", "user:done it"]);
    }

    [Fact]
    public async Task A_tools_own_events_come_before_its_result_and_at_most_twenty()
    {
        var thread = await world.OpenAsync();
        await using var stream = await world.SendAsync(thread, new { content = "/tool news" });
        await stream.EndAsync();
        var customs = stream.Seen.Of("custom").ToList();
        customs.Select(c => c.GetProperty("payload").GetProperty("number").GetInt32()).ShouldBe(Enumerable.Range(1, 20));
        customs.ShouldAllBe(c => c.Text("kind") == "headline" && c.Text("tool_call_id") == "call_1");
        stream.Seen.Of("client_event").Single().Text("kind").ShouldBe("tool_progress");
        stream.Seen.FindLastIndex(e => e.Event == "custom").ShouldBeLessThan(stream.Seen.FindIndex(e => e.Event == "tool_result"));
    }

    private IEnumerable<string> Offered() => world.Upstream.LastRequest.Body.GetProperty("tools").EnumerateArray().Select(t => t.Text("name"));

    private string[] Shape() => Prompts.Shape(world.Upstream.LastRequest.Body);
}

/// <summary>Reads what a model was sent.</summary>
internal static class Prompts
{
    /// <summary>The input of a Responses request, one line an item, without the system prompt.</summary>
    public static string[] Shape(JsonElement request) => [.. request.GetProperty("input").EnumerateArray().Select(Line).OfType<string>()];

    private static string? Line(JsonElement item)
    {
        var type = item.TryGetProperty("type", out var named) ? named.GetString() : "message";
        if (type == "function_call") return "call:" + item.Text("call_id");
        if (type == "function_call_output") return "result:" + item.Text("call_id");
        var role = item.Text("role");
        if (role is "system" or "developer") return null;
        var content = item.GetProperty("content");
        return role + ":" + (content.ValueKind == JsonValueKind.String ? content.GetString() : string.Concat(content.EnumerateArray().Select(p => p.Text("text"))));
    }
}
