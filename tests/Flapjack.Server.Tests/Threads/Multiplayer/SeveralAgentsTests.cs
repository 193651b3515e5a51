using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Threads.Turns;
using Flapjack.Testing;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Threads.Multiplayer;

/// <summary>Several agents that answer one message, one after another in one stream.</summary>
public sealed class SeveralAgentsTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly object[] Tools = [new { name = "pick" }];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_answer_in_the_order_of_their_mention_each_as_itself()
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, ["Bob Builder"]);
        await world.PatchAsync($"/api/agents/{crew.Others[0]}", new { defaultModel = "gpt-5.4-mini", toolProfiles = new { none = new { tools = Array.Empty<string>() } }, defaultProfile = "none" }).ShouldBe(200);
        world.Upstream.Reply(Script.Text("It ", "stands."), Script.Text("Well", " done."));
        var events = await crew.AskAsync(new { content = "@bob-builder and @ada?", senderName = "Eve" });
        Story.Of(events).ShouldBe(["meta", "agent_switched Bob Builder", "It ", "stands.", "\n\n", "Well", " done.", "done"]);
        events[1].Data.GetProperty("payload").GetRawText().ShouldBe($$"""{"agent_id":"{{crew.Others[0]}}","name":"Bob Builder"}""");
        var done = events[^1].Data;
        (done.Text("content"), done.Text("finishReason")).ShouldBe((events.Deltas(), "stop"));
        done.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(20);

        var messages = await world.MessagesAsync(crew.Thread);
        messages.Select(m => (m.Text("sender_name"), m.GetProperty("sender_id").GetString(), m.Text("content"))).ShouldBe(
            [("Eve", null, "@bob-builder and @ada?"), ("Bob Builder", $"{crew.Others[0]}", "It stands."), ("Ada", $"{crew.Ada}", "Well done.")]);
        messages.Select(m => m.GetProperty("model").GetString()).ShouldBe([null, "gpt-5.4-mini", "gpt-5.4"]);
        messages[2].Text("id").ShouldBe(done.Text("messageId"));
        messages.Select(m => m.Text("turn_id")).Distinct().Count().ShouldBe(1);
        messages[1].GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(10);

        var (bobs, adas) = (world.Upstream.Requests[^2].Body, world.Upstream.Requests[^1].Body);
        (bobs.ToString().Contains("You are Bob Builder.", StringComparison.Ordinal), adas.ToString().Contains("You are Ada.", StringComparison.Ordinal)).ShouldBe((true, true));
        (bobs.TryGetProperty("tools", out _), adas.TryGetProperty("tools", out _)).ShouldBe((false, true));
        Prompts.Shape(adas).ShouldBe(["user:Eve: @bob-builder and @ada?", "user:Bob Builder: It stands."]);
        var trace = await world.TraceAsync(crew.Thread);
        trace.GetProperty("trace").GetProperty("total_input_tokens").GetInt64().ShouldBe(20);
        trace.GetProperty("spans").EnumerateArray().Select(s => s.Text("kind")).ShouldBe(["agent", "llm", "llm"], ignoreOrder: true);

        // To each of them the other's answers are what somebody said, and its own are its own.
        world.Upstream.Reply(Script.Text("Yes."));
        await crew.AskAsync(new { content = "@bob-builder sure?", senderName = "Eve" });
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:Eve: @bob-builder and @ada?", "assistant:It stands.", "user:Ada: Well done.", "user:Eve: @bob-builder sure?"]);
    }

    [Fact]
    public async Task Each_has_its_own_calls_and_its_own_limit()
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, ["Bob"]);
        await world.PatchAsync($"/api/agents/{crew.Others[0]}", new { maxToolCalls = 1 }).ShouldBe(200);
        Script Calls() => Script.ToolCalls(new ScriptedCall("c1", "words", "{}"), new ScriptedCall("c2", "words", "{}"));
        world.Upstream.Reply(Calls().After("Looking."), Script.Text("One."), Calls(), Script.Text("Two."));
        var events = await crew.AskAsync(new { content = "@bob @ada go" });
        events[^1].Data.Text("content").ShouldBe("Looking.\n\nOne.\n\nTwo.");
        events.Deltas().ShouldBe("Looking.\n\nOne.\n\nTwo.");
        var results = events.Of("tool_result").ToList();
        results.Select(r => r.GetProperty("is_error").GetBoolean()).Count(failed => failed).ShouldBe(1);
        results.Select(r => r.Text("tool_call_id")).Distinct().Count().ShouldBe(4);
        var shape = Prompts.Shape(world.Upstream.LastRequest.Body);
        shape[..2].ShouldBe(["user:@bob @ada go", "user:Bob: Looking.\n\nOne."]);
        shape[2..].Count(line => line.StartsWith("call:", StringComparison.Ordinal)).ShouldBe(2);
        var rows = await world.MessagesAsync(crew.Thread, "?include=tools");
        rows.Where(r => r.Text("role") == "tool").Select(r => r.Text("content").Contains("TOOL_LIMIT_REACHED", StringComparison.Ordinal)).ShouldBe([false, true, false, false]);
        rows.Where(r => r.Text("role") == "assistant").Select(r => r.GetProperty("tool_calls").GetArrayLength()).ShouldBe([2, 2]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_ends_one_of_them_keeps_the_answers_before_and_drops_those_after(bool stop)
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, ["Bob", "Carl"]);
        world.Upstream.Reply(Script.Text("One."), stop ? Script.Text("Tw", "o").SilentAfter(1) : Script.Text("Tw", "o").MalformedAfter(1));
        await using var stream = await world.SendAsync(crew.Thread, new { content = "@bob @ada @carl go" });
        while ((await stream.UntilAsync("token")).Data.Text("delta") != "Tw") { }
        if (stop) await world.StopAsync(crew.Thread);
        var end = await stream.EndAsync();
        if (stop) (end.Data.Text("content"), end.Data.GetProperty("stopped").GetBoolean(), end.Data.TryGetProperty("messageId", out _)).ShouldBe(("One.\n\nTw", true, false));
        else (end.Event, end.Data.GetProperty("usage").GetProperty("input_tokens").GetInt64() >= 10).ShouldBe(("error", true));
        var messages = await world.MessagesAsync(crew.Thread);
        messages.Skip(1).Select(m => (m.Text("sender_name"), m.Text("content"), m.GetProperty("stopped").GetBoolean(), m.GetProperty("error").ValueKind != JsonValueKind.Null)).ShouldBe(
            [("Bob", "One.", false, false), ("Ada", "Tw", stop, !stop)]);
        world.Upstream.Reply(Script.Text("Here."));
        (await crew.AskAsync(new { content = "@carl?" }))[^1].Data.Text("content").ShouldBe("Here.");
    }

    [Fact]
    public async Task One_of_them_may_ask_the_client_and_the_rest_wait_for_it()
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, ["Bob", "Carl"]);
        world.Upstream.Reply(Script.Text("One."), Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")).After("Choose."), Script.Text("Thanks."), Script.Text("Three."));
        await using var first = await world.SendAsync(crew.Thread, new { content = "@ada @bob @carl go", tools = Tools }, key: $"key {crew.Thread}");
        (await first.EndAsync()).Event.ShouldBe("requires_action");
        Story.Of(first.Seen).ShouldBe(["meta", "One.", "agent_switched Bob", "\n\n", "Choose.", "requires_action"]);
        await using var second = await world.SendAsync(crew.Thread, new { toolResults = new[] { new { toolCallId = "c1", result = "left" } } });
        var done = await second.EndAsync(first.Seen[^1].Sequence + 1);
        Story.Of(second.Seen).ShouldBe(["meta", "agent_switched Bob", "\n\n", "Thanks.", "agent_switched Carl", "\n\n", "Three.", "done"]);
        done.Data.Text("content").ShouldBe(first.Seen.Deltas() + second.Seen.Deltas());
        (await crew.TalkAsync()).ShouldBe(["user: @ada @bob @carl go", "Ada: One.", "Bob: Choose.\n\nThanks.", "Carl: Three."]);
        Prompts.Shape(world.Upstream.Requests[^2].Body).ShouldBe(["user:@ada @bob @carl go", "user:Ada: One.", "assistant:Choose.", "call:c1", "result:c1"]);
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:@ada @bob @carl go", "user:Ada: One.", "user:Bob: Choose.\n\nThanks."]);
    }

    [Fact]
    public async Task A_call_that_nobody_answers_is_dropped_in_the_name_of_its_agent()
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, ["Bob", "Carl"]);
        world.Upstream.Reply(Script.Text("One."), Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")).After("Choose."), Script.Text("Four."));
        await crew.AskAsync(new { content = "@ada @bob @carl go", tools = Tools });
        await crew.AskAsync(new { content = "@carl instead" });
        (await crew.TalkAsync()).ShouldBe(["user: @ada @bob @carl go", "Ada: One.", "Bob: Choose.", "user: @carl instead", "Carl: Four."]);
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:@ada @bob @carl go", "user:Ada: One.", "user:Bob: Choose.", "user:@carl instead"]);
    }

    [Fact]
    public async Task After_a_crash_the_agent_whose_turn_it_was_goes_on_and_the_others_follow()
    {
        await using var own = await TurnWorld.StartAsync();
        var crew = await Crew.OpenAsync(own, TurnWorld.OpenAI, ["Bob", "Carl"]);
        own.Upstream.Reply(Script.Text("One."), Script.ToolCalls(new ScriptedCall("c1", "lookup", """{"key":"a"}""")).After("Looking."), Script.Text("Two."), Script.Text("Three."));
        await using var frozen = await own.SendAsync(crew.Thread, new { content = "@ada @bob @carl go", onDisconnect = "continue" });
        await own.Tools.Hold("a").Entered;
        await frozen.UntilAsync("tool_executing");
        await using (var db = own.Server.Database())
        {
            await db.Turns.IgnoreQueryFilters().Where(t => t.Status == TurnStatuses.Running).ExecuteUpdateAsync(t => t.SetProperty(x => x.LeaseUntil, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)), Token);
        }
        await using var node = own.Server.StartPeer();
        await using var resumed = await own.AttachAsync(crew.Thread, client: node.Client);
        own.Tools.Hold("a").Release("here");
        var done = await resumed.UntilAsync("done");
        done.Data.Text("content").ShouldBe("One.\n\nLooking.\n\nTwo.\n\nThree.");
        resumed.Seen.Deltas().ShouldBe(done.Data.Text("content"));
        done.Data.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(40);
        (await crew.TalkAsync()).ShouldBe(["user: @ada @bob @carl go", "Ada: One.", "Bob: Looking.\n\nTwo.", "Carl: Three."]);
        Prompts.Shape(own.Upstream.Requests[^2].Body).ShouldBe(["user:@ada @bob @carl go", "user:Ada: One.", "assistant:Looking.", "call:c1", "result:c1"]);
    }

    [Fact]
    public async Task Their_streams_are_stored_and_a_repeat_gets_the_stream_it_opened()
    {
        await using var own = await TurnWorld.StartAsync();
        var crew = await Crew.OpenAsync(own, "flapjack-offline", ["Bob"]);
        var message = new { content = "@ada @bob\n/tool words\n/tool pick", tools = Tools };
        await using var first = await own.SendAsync(crew.Thread, message, key: "k");
        await using var second = await AnswerAsync(first, "a");
        Story.Of(second.Seen)[^5..].ShouldBe(["agent_switched Bob", "tool_call", "tool_executing", "tool_result", "requires_action"]);
        await StoredStreamTests.ShouldBeStoredAsync(own, first, second);
        await using var third = await AnswerAsync(second, "b");
        var text = third.Seen[^1].Data.Text("content");
        text.ShouldBe("words returned: plain words\npick returned: a\n\nwords returned: plain words\npick returned: b");
        await StoredStreamTests.ShouldBeStoredAsync(own, first, second, third);
        await own.Server.RestartAsync();
        await using var repeated = await own.SendAsync(crew.Thread, message, key: "k");
        // The message is answered by the stream it opened; the others belong to the results that came later.
        await repeated.DrainAsync();
        repeated.Seen.Select(e => (e.Id, e.Data.GetRawText())).ShouldBe(first.Seen.Select(e => (e.Id, e.Data.GetRawText())));

        async Task<EventStream> AnswerAsync(EventStream asking, string result)
        {
            await asking.DrainAsync();
            var asked = asking.Seen[^1];
            var stream = await own.SendAsync(crew.Thread, new { toolResults = new[] { new { toolCallId = asked.Data.GetProperty("toolCalls")[0].Text("id"), result } } });
            await stream.DrainAsync();
            return stream;
        }
    }
}
