using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Delegation;

/// <summary>Agents that ask other agents: events, results, limits, costs and traces.</summary>
public sealed class SubAgentTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_agent_does_a_task_in_a_turn_of_its_own()
    {
        var bob = await world.AgentAsync("Bob the Builder");
        var (ada, thread) = await AskerAsync(bob);
        await using var stream = await world.SendAsync(thread, new { content = DelegationWorld.Ask("bob_the_builder", "/echo built") });
        await stream.EndAsync();
        stream.Seen.Select(e => e.Event).Where(e => e != "token").ShouldBe(["meta", "tool_call", "tool_executing", "client_event", "client_event", "tool_result", "done"]);
        stream.Seen.Of("client_event").Select(e => e.GetRawText()).ShouldBe([
            $$$"""{"kind":"delegation","payload":{"agent_id":"{{{bob}}}","status":"started"}}""",
            $$$"""{"kind":"delegation","payload":{"agent_id":"{{{bob}}}","status":"finished"}}"""]);
        stream.Seen.Of("tool_result").Single().GetProperty("result").GetRawText().ShouldBe($$"""{"content":"built","agent_id":"{{bob}}"}""");

        // The thread of the task is nobody's, but it is there and done.
        var child = (await world.ChildrenAsync(thread)).ShouldHaveSingleItem();
        (child.AgentId, child.ExpiresAt is not null).ShouldBe((bob, true));
        (await world.TurnStatusesAsync(child.Id)).ShouldBe(["done"]);
        (await world.GetAsync($"/api/threads?agentId={bob}")).GetProperty("threads").GetArrayLength().ShouldBe(0);
        (await world.GetAsync($"/api/agents/{ada}/delegated")).GetProperty("agents")[0].Text("name").ShouldBe("Bob the Builder");
    }

    [Fact]
    public async Task The_other_agent_has_its_own_model_prompt_and_tools_and_its_use_is_booked_here()
    {
        var bob = await world.AgentAsync("Bob", TurnWorld.Claude, new { stablePreamble = "You build.", toolProfiles = new { few = new { tools = new[] { "words" } } }, defaultProfile = "few" });
        var thread = (await AskerAsync(bob, TurnWorld.OpenAI)).Thread;
        world.Upstream.Forget();
        world.Upstream.Reply(
            Script.ToolCalls(new ScriptedCall("c1", "delegate_to_bob", """{"task":"build","context":"of wood"}""")).WithUsage(new(1_000, 100)),
            Script.ToolCalls(new ScriptedCall("c2", "words", "{}")).WithUsage(new(2_000, 200)),
            Script.Text("a house").WithUsage(new(3_000, 300)),
            Script.Text("done").WithUsage(new(4_000, 400)));
        await using var stream = await world.SendAsync(thread, new { content = "go", tools = new[] { new { name = "pick" } } });
        var done = (await stream.EndAsync()).Data;
        done.Text("content").ShouldBe("done");
        var asked = world.Upstream.Requests[1];
        asked.Path.ShouldBe("/v1/messages");
        asked.Body.GetProperty("system")[0].Text("text").ShouldBe("You build.");
        asked.Body.GetProperty("messages")[0].GetProperty("content")[0].Text("text").ShouldBe("build\n\nContext:\nof wood");
        asked.Body.GetProperty("tools").EnumerateArray().Select(t => t.Text("name")).ShouldBe(["words"]);

        // 5,000 in and 500 out of gpt-5.4, 5,000 in and 500 out of claude-sonnet-4-6.
        var usage = done.GetProperty("usage");
        (usage.GetProperty("input_tokens").GetInt64(), usage.GetProperty("output_tokens").GetInt64()).ShouldBe((10_000L, 1_000L));
        usage.GetProperty("cost_usd").GetDecimal().ShouldBe(0.0125m + 0.0075m + 0.015m + 0.0075m);

        var trace = await world.TraceAsync(thread);
        trace.GetProperty("trace").GetProperty("total_cost_usd").GetDecimal().ShouldBe(0.0425m);
        var spans = trace.GetProperty("spans").EnumerateArray().ToList();
        var call = spans.Single(s => s.Text("name") == "delegate_to_bob");
        call.Text("kind").ShouldBe("agent");
        var nested = spans.Where(s => s.GetProperty("parent_span_id").GetString() == call.Text("id")).ToList();
        nested.Select(s => s.Text("kind")).ShouldBe(["llm", "llm", "tool"], ignoreOrder: true);
        nested.Where(s => s.Text("kind") == "llm").Select(s => s.Text("model") + " " + s.Text("provider")).Distinct().ShouldBe([TurnWorld.Claude + " anthropic"]);
        // The sum of the calls is the sum of the turn: nothing is counted twice, and the other agent has no trace of its own.
        spans.Where(s => s.Text("kind") == "llm").Sum(s => s.GetProperty("cost_usd").GetDecimal()).ShouldBe(0.0425m);
        (await world.GetAsync($"/api/logs?agentId={bob}")).GetProperty("traces").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Circles_and_depth_are_limited()
    {
        var (a, b, c, d) = (await world.AgentAsync("A"), await world.AgentAsync("B"), await world.AgentAsync("C"), await world.AgentAsync("D"));
        await world.LetAskAsync(a, [b]);
        await world.LetAskAsync(b, [a, c]);
        await world.LetAskAsync(c, [d], maxDepth: 5);
        var thread = await world.Server.CreateThreadAsync(a);

        var circle = await ResultAsync(thread, DelegationWorld.Ask("b", DelegationWorld.Ask("a", "/echo never")));
        circle.ShouldContain("DELEGATION_LIMIT");
        (await ResultAsync(thread, DelegationWorld.Ask("b", DelegationWorld.Ask("c", "/echo deep")))).ShouldContain("deep");
        var third = await ResultAsync(thread, DelegationWorld.Ask("b", DelegationWorld.Ask("c", DelegationWorld.Ask("d", "/echo never"))));
        third.ShouldContain("DELEGATION_LIMIT");
        third.ShouldNotContain("never returned");
        // From b's own thread the same agents are one level nearer.
        (await ResultAsync(await world.Server.CreateThreadAsync(b), DelegationWorld.Ask("c", DelegationWorld.Ask("d", "/echo near")))).ShouldContain("near");
    }

    [Fact]
    public async Task All_agents_below_a_turn_share_what_it_may_delegate()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Turns:MaxDelegations"] = "4");
        var (a, b, c) = (await own.AgentAsync("A"), await own.AgentAsync("B"), await own.AgentAsync("C"));
        await own.LetAskAsync(a, [b]);
        await own.LetAskAsync(b, [c]);
        var thread = await own.Server.CreateThreadAsync(a);
        // Each of the two asks for three turns: its own, and two below it.
        var ask = DelegationWorld.Ask("b", $"{DelegationWorld.Ask("c", "/echo leaf")}\n{DelegationWorld.Ask("c", "/echo leaf")}");
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await own.SendAsync(thread, new { content = $"{ask}\n{ask}" });
            (await stream.EndAsync()).Data.Text("finishReason").ShouldBe("stop");
            var results = string.Concat(stream.Seen.Of("tool_result").Select(e => e.GetRawText()));
            results.ShouldContain("DELEGATION_LIMIT");
            var children = await own.ChildrenAsync(thread);
            var below = 0;
            foreach (var child in children) below += (await own.ChildrenAsync(child.Id)).Count;
            (children.Count + below).ShouldBe(4 * (i + 1), "the next message counts anew");
        }
    }

    [Fact]
    public async Task Spans_of_nested_delegations_hang_under_each_other()
    {
        var (a, b, c) = (await world.AgentAsync("A"), await world.AgentAsync("B"), await world.AgentAsync("C"));
        await world.LetAskAsync(a, [b]);
        await world.LetAskAsync(b, [c]);
        var thread = await world.Server.CreateThreadAsync(a);
        await ResultAsync(thread, DelegationWorld.Ask("b", DelegationWorld.Ask("c", "/echo leaf")));
        var spans = (await world.TraceAsync(thread)).GetProperty("spans").EnumerateArray().ToList();
        var (outer, inner) = (spans.Single(s => s.Text("name") == "delegate_to_b"), spans.Single(s => s.Text("name") == "delegate_to_c"));
        inner.Text("parent_span_id").ShouldBe(outer.Text("id"));
        spans.Count(s => s.GetProperty("parent_span_id").GetString() == inner.Text("id")).ShouldBe(1);
        spans.Count(s => s.GetProperty("parent_span_id").ValueKind == JsonValueKind.Null).ShouldBe(1);
    }

    [Fact]
    public async Task A_challenge_inside_bubbles_up()
    {
        var bob = await world.AgentAsync("Bob");
        var thread = (await AskerAsync(bob)).Thread;
        await using var stream = await world.SendAsync(thread, new { content = DelegationWorld.Ask("bob", "/tool locked {}") });
        (await stream.EndAsync()).Data.Text("finishReason").ShouldBe("auth_challenge");
        var challenge = stream.Seen.Of("auth_challenge").Single();
        challenge.Text("toolName").ShouldBe("delegate_to_bob");
        challenge.GetProperty("challenge").GetRawText().ShouldBe("""{"provider":"GitHub","redirectUrl":"https://example.com/authorise","description":"to read your issues"}""");
        stream.Seen.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("AUTH_REQUIRED");
    }

    [Fact]
    public async Task A_turn_that_fails_is_a_failed_call_and_costs_what_it_cost()
    {
        var bob = await world.AgentAsync("Bob", TurnWorld.Claude);
        var thread = (await AskerAsync(bob)).Thread;
        world.Upstream.Forget();
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c2", "words", "{}")).WithUsage(new(2_000, 200)), Script.Status(400, """{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"""));
        await using var stream = await world.SendAsync(thread, new { content = DelegationWorld.Ask("bob", "try") });
        var done = (await stream.EndAsync()).Data;
        done.Text("finishReason").ShouldBe("stop");
        stream.Seen.Of("client_event").Last().GetProperty("payload").Text("status").ShouldBe("failed");
        var result = stream.Seen.Of("tool_result").Single();
        result.GetProperty("is_error").GetBoolean().ShouldBeTrue();
        result.GetProperty("result").GetRawText().ShouldBe("""{"error":"TOOL_FAILED","detail":"The agent\u0027s turn ended with MODEL_ERROR."}""".Replace("\\u0027", "'", StringComparison.Ordinal));
        done.GetProperty("usage").GetProperty("cost_usd").GetDecimal().ShouldBe(0.009m);
    }

    [Fact]
    public async Task The_other_agent_reads_the_last_messages_only_when_it_shall()
    {
        var bob = await world.AgentAsync("Bob");
        var (ada, thread) = await AskerAsync(bob);
        for (var i = 0; i < 12; i++) await world.Server.AskAsync(thread, $"/echo number {i}");
        (await ResultAsync(thread, DelegationWorld.Ask("bob", "/history"))).ShouldContain("messages: 1\\n".Replace("\\n", "", StringComparison.Ordinal));
        await world.LetAskAsync(ada, [bob], shareContext: true);
        (await ResultAsync(thread, DelegationWorld.Ask("bob", "/history"))).ShouldContain("messages: 21");
    }

    [Fact]
    public async Task Tools_follow_names_deletions_and_profiles()
    {
        var bob = await world.AgentAsync("Bob");
        var ada = await world.AgentAsync("Ada", TurnWorld.OpenAI, new { toolProfiles = new { alone = new { tools = new[] { "words" }, switchable = false } } });
        await world.LetAskAsync(ada, [bob]);
        var thread = await world.Server.CreateThreadAsync(ada);
        (await OfferedAsync(thread)).ShouldContain("delegate_to_bob");
        (await OfferedAsync(thread, "alone")).ShouldBe(["words"]);
        await world.PatchAsync($"/api/agents/{bob}", new { name = "Ömer & Söhne" }).ShouldBe(200);
        (await OfferedAsync(thread)).Where(n => n.StartsWith("delegate_to_", StringComparison.Ordinal)).ShouldBe(["delegate_to_mer_s_hne"]);
        await world.Server.Client.DeleteAsync($"/api/agents/{bob}", Token).ShouldBe(200);
        (await OfferedAsync(thread)).ShouldNotContain(n => n.StartsWith("delegate_to_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_hidden_threads_go_with_the_thread()
    {
        var bob = await world.AgentAsync("Bob");
        var thread = (await AskerAsync(bob)).Thread;
        await ResultAsync(thread, DelegationWorld.Ask("bob", "/echo private"));
        var child = (await world.ChildrenAsync(thread)).ShouldHaveSingleItem();
        await world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        (await world.ChildrenAsync(thread)).ShouldBeEmpty();
        (await world.TurnStatusesAsync(child.Id)).ShouldBeEmpty();
    }

    private async Task<(Guid Agent, Guid Thread)> AskerAsync(Guid other, string model = "flapjack-offline")
    {
        var ada = await world.AgentAsync("Ada", model);
        await world.LetAskAsync(ada, [other]);
        return (ada, await world.Server.CreateThreadAsync(ada));
    }

    private async Task<string> ResultAsync(Guid thread, string content)
    {
        await using var stream = await world.SendAsync(thread, new { content });
        await stream.EndAsync();
        return stream.Seen.Of("tool_result").Single().GetProperty("result").GetRawText();
    }

    private async Task<List<string>> OfferedAsync(Guid thread, string? profile = null)
    {
        await using var stream = await world.SendAsync(thread, profile is null ? new { content = "hi" } : new { content = "hi", toolProfile = profile });
        await stream.EndAsync();
        return [.. world.Upstream.LastRequest.Body.GetProperty("tools").EnumerateArray().Select(t => t.Text("name"))];
    }
}
