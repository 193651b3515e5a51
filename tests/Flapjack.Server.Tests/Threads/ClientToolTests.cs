using System.Text.Json;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Threads.Turns;
using Flapjack.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Tools that the client runs: the stream ends with <c>requires_action</c> and a second request brings the results.</summary>
public sealed class ClientToolTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly object[] Tools = [new { name = "pick", description = "Picks.", parameters = new { type = "object" } }, new { name = "show" }];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_client_is_asked_and_the_turn_goes_on_with_its_results()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", """{"n":1}"""), new ScriptedCall("c2", "show", "{}")).After("Choose."), Script.Text("Thanks."));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = Tools });
        var asked = await first.EndAsync();
        asked.Event.ShouldBe("requires_action");
        asked.Data.GetProperty("toolCalls").GetRawText().ShouldBe("""[{"id":"c1","name":"pick","arguments":"{\"n\":1}"},{"id":"c2","name":"show","arguments":"{}"}]""");
        asked.Data.GetProperty("expiresAt").GetDateTime().ShouldBe(world.Server.Time.GetUtcNow().UtcDateTime.AddHours(24), TimeSpan.FromMinutes(1));
        first.Seen.Select(e => e.Event).ShouldBe(["meta", "token", "requires_action"]);
        var waiting = await world.ThreadAsync(thread);
        waiting.GetProperty("awaiting_action").GetBoolean().ShouldBeTrue();
        waiting.GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null);
        using (var none = await world.Server.Client.GetAsync($"/api/threads/{thread}/stream", Token)) ((int)none.StatusCode).ShouldBe(204);

        await using var second = await world.SendAsync(thread, """{"toolResults":[{"toolCallId":"c1","result":"{\"ok\":true}"},{"tool_call_id":"c2","output":{"error":"denied"},"is_error":true}]}""");
        var done = await second.EndAsync(first.Seen[^1].Sequence + 1);
        done.Data.Text("content").ShouldBe("Choose.\n\nThanks.");
        (first.Seen.Deltas() + second.Seen.Deltas()).ShouldBe("Choose.\n\nThanks.");
        second.Seen[0].Data.ToString().ShouldBe(first.Seen[0].Data.ToString());
        done.Data.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(20);
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Choose.", "call:c1", "call:c2", "result:c1", "result:c2"]);
        world.Upstream.LastRequest.Body.GetProperty("input").ToString().ShouldContain("denied");
        var rows = await world.MessagesAsync(thread, "?include=tools");
        rows.Select(r => r.Text("role")).ShouldBe(["user", "tool", "tool", "assistant"]);
        rows[2].GetProperty("is_error").GetBoolean().ShouldBeTrue();
        rows[3].Text("id").ShouldBe(done.Data.Text("messageId"));
        (await world.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
        var trace = await world.TraceAsync(thread);
        trace.GetProperty("trace").Text("status").ShouldBe("ok");
        trace.GetProperty("spans").EnumerateArray().Select(s => s.Text("kind")).ShouldBe(["agent", "llm", "llm"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_part_of_the_results_is_taken_and_the_rest_asked_for_again()
    {
        var (thread, first) = await AskedAsync("pick {}", "show {}", "pick {}");
        var ids = first.Seen[^1].Data.GetProperty("toolCalls").EnumerateArray().Select(c => c.Text("id")).ToArray();
        await using var second = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = ids[1], result = "two" } } });
        var again = await second.EndAsync(first.Seen[^1].Sequence + 1);
        second.Seen.Select(e => e.Event).ShouldBe(["meta", "requires_action"]);
        again.Data.GetProperty("toolCalls").EnumerateArray().Select(c => c.Text("id")).ShouldBe([ids[0], ids[2]]);
        again.Data.GetProperty("toolCalls")[0].Text("name").ShouldBe("pick");
        again.Data.GetProperty("expiresAt").GetDateTime().ShouldBe(first.Seen[^1].Data.GetProperty("expiresAt").GetDateTime());
        // What was answered is not pending any more.
        await Results(thread, (ids[1], "two"), (ids[0], "one")).ShouldBeError(422, "VALIDATION_ERROR", "toolResults[0].toolCallId");
        await using var third = await world.SendAsync(thread, new { toolResults = new[] { new { id = ids[0], content = "one" }, new { id = ids[2], content = "three" } } });
        (await third.EndAsync(again.Sequence + 1)).Data.Text("content").ShouldBe("pick returned: one\nshow returned: two\npick returned: three");
        third.Seen[0].Data.Text("turnId").ShouldBe(first.Seen[0].Data.Text("turnId"));
    }

    [Fact]
    public async Task One_wrong_id_refuses_all_results()
    {
        var (thread, first) = await AskedAsync("pick {}", "show {}");
        var ids = Ids(first);
        await Results(thread, (ids[0], "one"), ("call_of_others", "two")).ShouldBeError(422, "VALIDATION_ERROR", "toolResults[1].toolCallId");
        await Results(thread, (ids[0], "one"), (ids[0], "one")).ShouldBeError(422, "VALIDATION_ERROR", "toolResults[1].toolCallId");
        await using var second = await world.SendAsync(thread, Answers((ids[0], "one"), (ids[1], "two")));
        (await second.EndAsync(first.Seen[^1].Sequence + 1)).Event.ShouldBe("done");
    }

    [Fact]
    public async Task Two_halves_at_once_never_leave_the_thread_stuck()
    {
        for (var round = 0; round < 5; round++)
        {
            var (thread, first) = await AskedAsync("pick {}", "show {}");
            var ids = Ids(first);
            var answers = await Task.WhenAll(ids.Select(id => Results(thread, (id, "half"))));
            foreach (var id in ids)
            {
                if (!(await world.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean()) break;
                using var late = await Results(thread, (id, "half"));
            }
            (await world.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse(string.Join(", ", answers.Select(a => (int)a.StatusCode)));
            foreach (var answer in answers) answer.Dispose();
        }
    }

    [Fact]
    public async Task Text_with_the_results_follows_them_in_the_same_turn()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}"), new ScriptedCall("c2", "pick", "{}")), Script.Text("ok"));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = Tools });
        await first.EndAsync();
        await using var part = await world.SendAsync(thread, new { content = "and this", toolResults = new[] { new { toolCallId = "c1", result = "one" } } });
        (await part.EndAsync(first.Seen[^1].Sequence + 1)).Event.ShouldBe("requires_action");
        await using var second = await world.SendAsync(thread, new { content = "and that", toolResults = new[] { new { toolCallId = "c2", result = "two" } } });
        (await second.EndAsync(part.Seen[^1].Sequence + 1)).Event.ShouldBe("done");
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "call:c1", "call:c2", "result:c1", "result:c2", "user:and this", "user:and that"]);
        (await world.MessagesAsync(thread)).Select(m => m.Text("content")).ShouldBe(["go", "and this", "and that", "ok"]);
        (await world.MessagesAsync(thread)).Select(m => m.Text("turn_id")).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Terms_of_the_first_message_stay_in_force_and_tools_can_be_replaced()
    {
        var thread = await world.OpenAsync(agent: new { toolProfiles = new { a = new { tools = Array.Empty<string>() } } });
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")), Script.ToolCalls(new ScriptedCall("c2", "other", "{}")), Script.Text("ok"));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = Tools, modelOverride = TurnWorld.OpenAI, systemPromptOverlay = "OVERLAY", toolProfile = "a", metadata = new { sessionId = "s" } });
        await first.EndAsync();
        await using var second = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = "c1", result = "1" } }, tools = new[] { new { name = "other" } } });
        (await second.EndAsync(first.Seen[^1].Sequence + 1)).Data.GetProperty("toolCalls")[0].Text("name").ShouldBe("other");
        await using var third = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = "c2", result = "2" } } });
        (await third.EndAsync(second.Seen[^1].Sequence + 1)).Event.ShouldBe("done");
        var body = world.Upstream.LastRequest.Body;
        body.ToString().ShouldContain("OVERLAY");
        body.GetProperty("tools").EnumerateArray().Select(t => t.Text("name")).ShouldBe(["other"]);
        (await world.TraceAsync(thread)).GetProperty("trace").Text("session_id").ShouldBe("s");
    }

    [Fact]
    public async Task A_normal_message_closes_what_is_pending()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}"), new ScriptedCall("c2", "show", "{}")).After("Choose."), Script.Text("Never mind."));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = Tools });
        await first.EndAsync();
        await using var next = await world.SendAsync(thread, new { content = "forget it" });
        (await next.EndAsync()).Data.Text("content").ShouldBe("Never mind.");
        next.Seen[0].Data.Text("turnId").ShouldNotBe(first.Seen[0].Data.Text("turnId"));
        var input = world.Upstream.LastRequest.Body.GetProperty("input").ToString();
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Choose.", "call:c1", "call:c2", "result:c1", "result:c2", "user:forget it"]);
        input.Split("CANCELLED_BY_USER").Length.ShouldBe(3);
        var rows = await world.MessagesAsync(thread, "?include=tools");
        rows.Where(r => r.Text("role") == "tool").ShouldAllBe(r => r.Text("content") == """{"error":"CANCELLED_BY_USER"}""");
        rows.Single(r => r.Text("content") == "Choose.").Text("model").ShouldBe(TurnWorld.OpenAI);
        await Results(thread, ("c1", "late")).ShouldBeError(422, "VALIDATION_ERROR", "toolResults");
    }

    [Fact]
    public async Task Stopping_drops_what_is_pending()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")).After("Choose."));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = Tools });
        await first.EndAsync();
        await world.StopAsync(thread);
        await world.StopAsync(thread);
        (await world.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
        await Results(thread, ("c1", "late")).ShouldBeError(422, "VALIDATION_ERROR", "toolResults");
        var stored = (await world.MessagesAsync(thread))[1];
        (stored.Text("content"), stored.GetProperty("stopped").GetBoolean(), stored.Text("model")).ShouldBe(("Choose.", true, TurnWorld.OpenAI));
        var trace = await world.TraceAsync(thread);
        trace.GetProperty("trace").GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldContain("stopped");
        var spans = trace.GetProperty("spans").EnumerateArray().ToList();
        spans.Select(s => s.Text("kind")).ShouldBe(["agent", "llm"]);
        spans[1].Text("parent_span_id").ShouldBe(spans[0].Text("id"));
        await using var next = await world.SendAsync(thread, new { content = "on" });
        (await next.EndAsync()).Event.ShouldBe("done");
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Choose.", "call:c1", "result:c1", "user:on"]);
    }

    [Fact]
    public async Task After_a_day_the_results_come_too_late_and_normal_messages_work()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        await using (var first = await own.SendAsync(thread, new { content = "/tool pick {}", tools = Tools })) (await first.EndAsync()).Event.ShouldBe("requires_action");
        own.Server.Time.Advance(TimeSpan.FromHours(23.9));
        (await own.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeTrue();
        own.Server.Time.Advance(TimeSpan.FromHours(0.2));
        (await own.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
        await own.PostAsync($"/api/threads/{thread}/messages", Answers(("call_1", "late"))).ShouldBeError(409, "ACTION_EXPIRED");
        await own.PostAsync($"/api/threads/{thread}/messages", Answers(("call_1", "late"))).ShouldBeError(409, "ACTION_EXPIRED");
        (await own.Server.AskAsync(thread, "/echo on"))[^1].Data.Text("content").ShouldBe("on");
    }

    [Fact]
    public async Task What_waited_for_more_than_a_day_is_ended_by_housekeeping()
    {
        await using var own = await TurnWorld.StartAsync();
        var (late, waiting) = (await own.OpenAsync(TurnWorld.OpenAI), await own.OpenAsync());
        own.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")).After("Choose."));
        await using (var first = await own.SendAsync(late, new { content = "go", tools = Tools })) (await first.EndAsync()).Event.ShouldBe("requires_action");
        own.Server.Time.Advance(TimeSpan.FromHours(1));
        await using (var first = await own.SendAsync(waiting, new { content = "/tool pick {}", tools = Tools })) (await first.EndAsync()).Event.ShouldBe("requires_action");
        own.Server.Time.Advance(TimeSpan.FromHours(23.5));
        await own.Server.Services.GetServices<IHousekeepingTask>().OfType<ExpiredActions>().Single().RunAsync(Token);

        (await own.MessagesAsync(late)).Select(m => m.Text("content")).ShouldBe(["go", "Choose."]);
        await own.PostAsync($"/api/threads/{late}/messages", Answers(("c1", "late"))).ShouldBeError(409, "ACTION_EXPIRED");
        own.Upstream.Reply(Script.Text("Good."));
        await using (var next = await own.SendAsync(late, new { content = "on" })) (await next.EndAsync()).Event.ShouldBe("done");
        Prompts.Shape(own.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Choose.", "call:c1", "result:c1", "user:on"]);
        await own.PostAsync($"/api/threads/{late}/messages", Answers(("c1", "later"))).ShouldBeError(422, "VALIDATION_ERROR", "toolResults");
        (await own.ThreadAsync(waiting)).GetProperty("awaiting_action").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task A_thread_that_waited_until_its_trace_was_cleared_away_takes_messages_again()
    {
        var (thread, first) = await AskedAsync("pick {}");
        var turn = Guid.Parse(first.Seen[0].Data.Text("turnId")!);
        await using (var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer()) await db.Traces.IgnoreQueryFilters().Where(t => t.Id == turn).ExecuteDeleteAsync(Token);
        (await world.Server.AskAsync(thread, "/echo on"))[^1].Data.Text("content").ShouldBe("on");
        (await world.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Dropping_comes_too_late_for_a_turn_that_goes_on()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")), Script.ToolCalls(new ScriptedCall("h1", "hold", """{"key":"late drop"}""")), Script.Text("Whole."));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = Tools });
        var last = (await first.EndAsync()).Sequence;
        await using var second = await world.SendAsync(thread, Answers(("c1", "mine")));
        await world.Tools.Hold("late drop").Entered;
        await using (var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer())
        {
            // As a second client whose request saw the thread before the results came.
            var row = await db.Threads.IgnoreQueryFilters().AsNoTracking().FirstAsync(t => t.Id == thread, Token);
            await world.Server.Services.GetRequiredService<PendingActions>().DropAsync(row, row.ActiveTurnId!.Value, PendingEnd.Replaced);
        }
        world.Tools.Hold("late drop").Release();
        (await second.EndAsync(last + 1)).Data.Text("content").ShouldBe("Whole.");
        (await world.MessagesAsync(thread)).Select(m => m.Text("content")).ShouldBe(["go", "Whole."]);
    }

    [Fact]
    public async Task Server_side_calls_of_a_mixed_step_finish_first()
    {
        var (thread, first) = await AskedAsync("words {}", "pick {}");
        first.Seen.Select(e => e.Event).ShouldBe(["meta", "tool_call", "tool_executing", "tool_result", "requires_action"]);
        first.Seen[^1].Data.GetProperty("toolCalls").EnumerateArray().Select(c => c.Text("name")).ShouldBe(["pick"]);
        await using var second = await world.SendAsync(thread, Answers((Ids(first)[0], "mine")));
        (await second.EndAsync(6)).Data.Text("content").ShouldBe("words returned: plain words\npick returned: mine");
    }

    [Fact]
    public async Task Pending_results_survive_a_restart()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        long last;
        await using (var first = await own.SendAsync(thread, new { content = "/tool pick {}", tools = Tools })) last = (await first.EndAsync()).Sequence;
        await own.Server.RestartAsync();
        (await own.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeTrue();
        await using var second = await own.SendAsync(thread, Answers(("call_1", "kept")));
        (await second.EndAsync(last + 1)).Data.Text("content").ShouldBe("pick returned: kept");
    }

    [Fact]
    public async Task After_twenty_five_rounds_the_turn_ends()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply([.. Enumerable.Range(1, 26).Select(i => Script.ToolCalls(new ScriptedCall($"c{i}", "pick", "{}")))]);
        var stream = await world.SendAsync(thread, new { content = "go", tools = Tools });
        for (var i = 1; i <= 25; i++)
        {
            (await stream.EndAsync(stream.Seen.Count == 0 ? 2 * i - 1 : 1)).Event.ShouldBe("requires_action", $"round {i}");
            await stream.DisposeAsync();
            stream = await world.SendAsync(thread, Answers(($"c{i}", "x")));
        }
        (await stream.EndAsync(51)).Data.Text("finishReason").ShouldBe("tool_limit");
        await stream.DisposeAsync();
    }

    private async Task<(Guid Thread, EventStream First)> AskedAsync(params string[] calls)
    {
        var thread = await world.OpenAsync();
        await using var first = await world.SendAsync(thread, new { content = string.Join('\n', calls.Select(c => "/tool " + c)), tools = Tools });
        (await first.EndAsync()).Event.ShouldBe("requires_action");
        return (thread, first);
    }

    private static string[] Ids(EventStream stream) => [.. stream.Seen[^1].Data.GetProperty("toolCalls").EnumerateArray().Select(c => c.Text("id"))];

    private static object Answers(params (string Id, string Result)[] answers) => new { toolResults = answers.Select(a => new { toolCallId = a.Id, result = a.Result }) };

    private Task<HttpResponseMessage> Results(Guid thread, params (string Id, string Result)[] answers) => world.PostAsync($"/api/threads/{thread}/messages", Answers(answers));
}
