using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Tests.Tools;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Delegation;

/// <summary>An agent with tools of several kinds: its model is offered what the profile, the agent's config and the operator's switches all let through, and nothing else is ever run.</summary>
public sealed class ToolGatingTests(ToolWorld world) : IClassFixture<ToolWorld>
{
    // From the server, the agent's own delegations, its attached webhooks. "lonely" belongs to nobody.
    private static readonly string[] Given = ["words", "weather", "delegate_to_bob", "open_ticket", "crm_find", "crm_delete"];

    public static TheoryData<string, string[], string[]> Profiles => new()
    {
        { "all", ["*"], Given },
        { "none", [], [] },
        { "reads", ["crm_*", "w?rds"], ["words", "crm_find", "crm_delete"] },
        { "exact", ["crm_find"], ["crm_find"] },
        { "case", ["CRM_FIND", "Words"], [] },
        { "agents", ["delegate_to_*"], ["delegate_to_bob"] },
        { "tickets", ["open_ticket", "lonely", "pick"], ["open_ticket"] },
    };

    [Theory, MemberData(nameof(Profiles))]
    public async Task The_model_is_offered_exactly_what_every_gate_lets_through(string name, string[] patterns, string[] expected)
    {
        var (thread, _) = await OpenAsync(name, patterns);
        await SendAsync(thread, new { content = "hi" });
        Offered().Intersect(Given).ShouldBe(expected, ignoreOrder: true);
        Offered().ShouldNotContain("lonely");
        // Tools of the client are not gated.
        await SendAsync(thread, new { content = "hi", tools = new[] { new { name = "pick" } } });
        Offered().ShouldContain("pick");
    }

    [Theory, MemberData(nameof(Profiles))]
    public async Task A_call_of_anything_else_is_refused_and_traced(string name, string[] patterns, string[] expected)
    {
        var (thread, path) = await OpenAsync(name, patterns);
        var forbidden = Given.Except(expected).ToArray();
        string[] called = [.. forbidden, "lonely"];
        world.World.Upstream.Reply(
            Script.ToolCalls([.. called.Select((tool, i) => new ScriptedCall($"c{i}", tool, tool == "delegate_to_bob" ? """{"task":"x"}""" : tool == "weather" ? """{"city":"Oslo"}""" : "{}"))]), Script.Text("ok"));
        var events = await SendAsync(thread, new { content = "go" });
        events[^1].Data.Text("content").ShouldBe("ok");
        events.Count(e => e.Event == "tool_executing").ShouldBe(0);
        events.Of("tool_result").Select(r => r.Text("tool_name") + " " + r.GetProperty("result").Text("error"))
            .ShouldBe([.. forbidden.Select(tool => tool + " TOOL_NOT_ALLOWED"), "lonely UNKNOWN_TOOL"], ignoreOrder: true);
        world.Receiver.Hits.ShouldNotContain(hit => hit.Path.StartsWith(path, StringComparison.Ordinal));
        (await world.World.ChildrenAsync(thread)).ShouldBeEmpty();
        var spans = (await world.World.TraceAsync(thread)).GetProperty("spans").EnumerateArray().Where(s => called.Contains(s.Text("name"))).ToList();
        spans.Select(s => s.Text("name")).ShouldBe(called, ignoreOrder: true);
        spans.ShouldAllBe(s => s.GetProperty("status").GetString() == "error");
    }

    [Fact]
    public async Task What_is_detached_or_switched_off_is_unknown_at_once()
    {
        var (thread, _) = await OpenAsync("all", ["*"]);
        var agent = (await world.World.ThreadAsync(thread)).Text("agent_id");
        await world.World.PutAsync($"/api/agents/{agent}/delegated", new { enabled = false });
        await SendAsync(thread, new { content = "hi" });
        Offered().Intersect(Given).ShouldBe(["words", "weather", "crm_find", "crm_delete"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_profile_of_one_message_holds_for_that_message()
    {
        var (thread, _) = await OpenAsync("none", []);
        await SendAsync(thread, new { content = "hi", toolProfile = "everything" });
        Offered().Intersect(Given).ShouldBe(Given, ignoreOrder: true);
        await SendAsync(thread, new { content = "hi" });
        Offered().Intersect(Given).ShouldBeEmpty();
        // The profile of whoever asks is not the profile of whom it asks.
        var (asking, _) = await OpenAsync("agents", ["delegate_to_*"]);
        world.World.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "delegate_to_bob", """{"task":"/tool words {}"}""")), Script.Text("ok"));
        var events = await SendAsync(asking, new { content = "go" });
        events.Of("tool_result").Single().GetProperty("result").Text("content").ShouldContain("words returned: plain words");
    }

    private string[] Offered() => world.World.Upstream.LastRequest.Body.TryGetProperty("tools", out var tools) ? [.. tools.EnumerateArray().Select(t => t.Text("name"))] : [];

    private async Task<(Guid Thread, string Path)> OpenAsync(string profile, string[] patterns)
    {
        world.World.Upstream.Forget();
        var path = "/" + Guid.NewGuid().ToString("N");
        var bob = await world.World.AgentAsync("Bob");
        var profiles = new Dictionary<string, object> { [profile] = new { tools = patterns, switchable = false }, ["everything"] = new { tools = new[] { "*" }, switchable = false } };
        var agent = await world.World.AgentAsync("Ada", TurnWorld.OpenAI, new { toolProfiles = profiles, defaultProfile = profile });
        await world.World.PutAsync($"/api/agents/{agent}/delegated", new { enabled = true, endpointUrl = world.Receiver.UrlOf(path), tools = new[] { new { name = "open_ticket" } }, agents = new[] { new { agentId = bob } } });
        foreach (var name in (string[])["crm_find", "crm_delete"]) await AttachAsync(agent, name, path);
        await AttachAsync(null, "lonely", path);
        return (await world.Server.CreateThreadAsync(agent), path);
    }

    // Names are the organisation's, so the tools are made once.
    private async Task AttachAsync(Guid? agent, string name, string path)
    {
        var tools = await world.World.GetAsync($"/api/tools?q={name}");
        var tool = tools.GetArrayLength() > 0 ? tools[0] : await world.CreateAsync(name, new { url = world.Receiver.UrlOf(path) });
        if (agent is { } id) await world.World.PostAsync($"/api/agents/{id}/tools", new { toolId = tool.Text("id") }).ShouldBe(201);
    }

    private async Task<List<ServerEvent>> SendAsync(Guid thread, object message)
    {
        await using var stream = await world.World.SendAsync(thread, message);
        await stream.DrainAsync();
        return stream.Seen;
    }
}
