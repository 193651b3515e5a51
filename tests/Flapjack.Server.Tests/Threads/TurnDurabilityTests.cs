using System.Text.Json;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Turns;
using Flapjack.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using RunningRequests = Flapjack.Server.Platform.Http.RunningRequests;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Repeats, time-outs, revoked credentials, restarts and crashes; and answers in one piece.</summary>
public sealed class TurnDurabilityTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_repeat_attaches_to_the_running_turn_and_later_replays_it()
    {
        var thread = await world.OpenAsync();
        var hold = world.Tools.Hold($"twice {thread}");
        var message = new { content = $$"""/tool hold {"key":"twice {{thread}}"}""" };
        await using var first = await world.SendAsync(thread, message, key: "k");
        await hold.Entered;
        await using var second = await world.SendAsync(thread, message, key: "k");
        second.Response.Header("Idempotency-Replayed").ShouldBe("true");
        await world.PostKeyedAsync(thread, message: new { message.content, stream = false }, "k").ShouldBeError(422, "IDEMPOTENCY_MISMATCH");
        hold.Release();
        await first.EndAsync();
        await second.EndAsync();
        Lines(second).ShouldBe(Lines(first));
        await using var third = await world.SendAsync(thread, message, key: "k");
        await third.EndAsync();
        Lines(third).ShouldBe(Lines(first));
        (await world.MessagesAsync(thread)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_repeat_is_rebuilt_from_rows_after_retention_and_restart()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        var message = new { content = "/echo one two" };
        EventStream first;
        await using (first = await own.SendAsync(thread, message, key: "k")) await first.EndAsync();
        own.Server.Time.Advance(TimeSpan.FromMinutes(11));
        foreach (var restart in (bool[])[false, true])
        {
            if (restart) await own.Server.RestartAsync();
            await using var again = await own.SendAsync(thread, message, key: "k");
            var done = await again.EndAsync();
            again.Response.Header("Idempotency-Replayed").ShouldBe("true");
            again.Seen.Select(e => e.Event).ShouldBe(["meta", "token", "done"]);
            again.Seen[0].Data.ToString().ShouldBe(first.Seen[0].Data.ToString());
            done.Data.ToString().ShouldBe(first.Seen[^1].Data.ToString());
        }
        (await own.MessagesAsync(thread)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_repeat_of_a_question_to_the_client_is_asked_again_after_a_restart()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        var message = new { content = "/tool pick {}", tools = new[] { new { name = "pick" } } };
        EventStream first;
        await using (first = await own.SendAsync(thread, message, key: "k")) (await first.EndAsync()).Event.ShouldBe("requires_action");
        await own.Server.RestartAsync();
        await using var again = await own.SendAsync(thread, message, key: "k");
        var asked = await again.UntilAsync("requires_action");
        asked.Data.ToString().ShouldBe(first.Seen[^1].Data.ToString());
    }

    [Fact]
    public async Task An_answer_in_one_piece_is_the_done_data_with_the_tool_events()
    {
        var thread = await world.OpenAsync();
        var answer = await world.PostAsync($"/api/threads/{thread}/messages", new { content = "/tool news", stream = false }).ShouldBe(200);
        answer.Text("content").ShouldBe("news returned: told");
        answer.Text("messageId").ShouldBe((await world.MessagesAsync(thread))[1].Text("id"));
        answer.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBeGreaterThan(0);
        var events = answer.GetProperty("events").EnumerateArray().Select(e => e.Text("event")).ToArray();
        events[..2].ShouldBe(["tool_call", "tool_executing"]);
        events[^1].ShouldBe("tool_result");
        answer.GetProperty("events")[1].GetProperty("data").Text("tool_name").ShouldBe("news");

        var asked = await world.PostAsync($"/api/threads/{thread}/messages", new { content = "/tool pick {\"n\":1}", tools = new[] { new { name = "pick" } }, stream = false }).ShouldBe(200);
        asked.GetProperty("ok").GetBoolean().ShouldBeTrue();
        asked.TryGetProperty("messageId", out _).ShouldBeFalse();
        var call = asked.GetProperty("requires_action").GetProperty("toolCalls")[0];
        (call.Text("name"), call.Text("arguments")).ShouldBe(("pick", "{\"n\":1}"));
        var done = await world.PostAsync($"/api/threads/{thread}/messages", new { toolResults = new[] { new { toolCallId = call.Text("id"), result = "9" } }, stream = false }).ShouldBe(200);
        (done.Text("turnId"), done.Text("content")).ShouldBe((asked.Text("turnId"), "pick returned: 9"));
    }

    [Fact]
    public async Task Failures_of_an_answer_in_one_piece_are_statuses()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        var cases = new (Script Script, int Status, string Code)[]
        {
            (Script.Status(401, "{}"), 502, "MODEL_AUTH_FAILED"),
            (Script.Status(400, """{"error":{"message":"bad","type":"invalid_request_error"}}"""), 502, "MODEL_ERROR"),
            (Script.Status(400, """{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"""), 422, "CONTEXT_TOO_LONG"),
            (Script.Text("bad").Filtered(), 422, "CONTENT_FILTERED"),
            (Script.Text("Half ", "x").CutAfter(1), 502, "MODEL_UNAVAILABLE"),
        };
        foreach (var (script, status, code) in cases)
        {
            world.Upstream.Reply(script);
            await world.PostAsync($"/api/threads/{thread}/messages", new { content = "go", stream = false }).ShouldBeError(status, code);
        }
        world.Upstream.Reply(Script.Status(401, "{}"));
        await world.PostKeyedAsync(thread, new { content = "go", stream = false }, "again").ShouldBeError(502, "MODEL_AUTH_FAILED");
        world.Upstream.Reply(Script.Text("fine"));
        (await world.PostKeyedAsync(thread, new { content = "go", stream = false }, "again").ShouldBe(200)).Text("content").ShouldBe("fine");
        (await world.PostKeyedAsync(thread, new { content = "go", stream = false }, "again").ShouldBe(200)).Text("content").ShouldBe("fine");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_turn_that_takes_too_long_is_ended(bool stream)
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Turns:TimeoutSeconds"] = "60");
        var thread = await own.OpenAsync();
        var sending = own.Server.PostMessageAsync(thread, """/tool hold {"key":"slow"}""", new { stream });
        await own.Tools.Hold("slow").Entered;
        own.Server.Time.Advance(TimeSpan.FromSeconds(61));
        if (stream)
        {
            await using var events = await EventStream.OpenAsync(await sending);
            (await events.EndAsync()).Data.Text("code").ShouldBe("TURN_TIMEOUT");
        }
        else
        {
            await sending.ShouldBeError(504, "TURN_TIMEOUT");
        }
        (await own.MessagesAsync(thread))[1].Text("error").ShouldBe("TURN_TIMEOUT");
        (await own.Server.AskAsync(thread, "/echo on"))[^1].Data.Text("content").ShouldBe("on");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_revoked_key_is_cut_off(bool onlyListening)
    {
        var org = await world.Server.FirstOrgAsync();
        var (keyId, text) = await world.Server.AddKeyAsync(org);
        using var client = world.Server.ClientFor(text);
        using var owner = await world.Server.LoginOwnerAsync();
        var thread = await world.OpenAsync();
        var hold = world.Tools.Hold($"revoked {thread}");
        await using var running = await world.SendAsync(thread, new { content = $$"""/tool hold {"key":"revoked {{thread}}"}""" }, onlyListening ? world.Server.Client : client);
        await hold.Entered;
        await using var listening = await world.AttachAsync(thread, client: client);
        await listening.UntilAsync("tool_executing");
        await owner.DeleteAsync($"/api/keys/{keyId}", Token).ShouldBe(200);
        (await listening.UntilAsync("error")).Data.Text("code").ShouldBe("UNAUTHORIZED");
        hold.Release();
        var end = await running.EndAsync();
        if (onlyListening) end.Event.ShouldBe("done");
        else end.Data.Text("code").ShouldBe("UNAUTHORIZED");
        await client.GetAsync($"/api/threads/{thread}", Token).ShouldBeError(401, "UNAUTHORIZED");
        (await world.Server.AskAsync(thread, "/echo on"))[^1].Event.ShouldBe("done");
    }

    [Fact]
    public async Task A_restart_keeps_everything_that_was_acknowledged()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync(thread: new { title = "kept" });
        await own.Server.AskAsync(thread, "/tool words {}");
        var before = (await own.MessagesAsync(thread, "?include=tools")).ConvertAll(m => m.ToString());
        var agents = (await own.GetAsync("/api/agents")).ToString();
        await own.Server.RestartAsync();
        (await own.MessagesAsync(thread, "?include=tools")).ConvertAll(m => m.ToString()).ShouldBe(before);
        (await own.ThreadAsync(thread)).Text("title").ShouldBe("kept");
        (await own.GetAsync("/api/agents")).ToString().ShouldBe(agents);
        (await own.TraceAsync(thread)).GetProperty("spans").GetArrayLength().ShouldBe(4);
        (await own.Server.AskAsync(thread, "/history"))[^1].Data.Text("content").ShouldStartWith("messages: 5");
    }

    [Fact]
    public async Task A_thread_whose_server_died_in_a_turn_is_usable_again()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync(TurnWorld.OpenAI);
        own.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "words", "{}"), new ScriptedCall("c2", "words", "{}")).After("Wait."), Script.Text("ok"));
        await using (var stream = await own.SendAsync(thread, new { content = "go" })) await stream.EndAsync();
        await using (var db = own.Server.Database())
        {
            // As the rows stood when the second call had been made and its result not been stored.
            var turn = await db.Turns.IgnoreQueryFilters().AsNoTracking().SingleAsync(t => t.ThreadId == thread, Token);
            var step = await db.Messages.IgnoreQueryFilters().AsNoTracking().SingleAsync(m => m.ThreadId == thread && m.Role == MessageRoles.Step, Token);
            await db.Messages.IgnoreQueryFilters().Where(m => m.ThreadId == thread && m.Role == MessageRoles.Assistant).ExecuteDeleteAsync(Token);
            await db.Messages.IgnoreQueryFilters().Where(m => m.ThreadId == thread && m.ToolCallId == "c2").ExecuteUpdateAsync(m => m.SetProperty(x => x.Complete, false).SetProperty(x => x.Content, ""), Token);
            await db.Turns.IgnoreQueryFilters().Where(t => t.Id == turn.Id).ExecuteUpdateAsync(t => t.SetProperty(x => x.Status, TurnStatuses.Running).SetProperty(x => x.EndedAt, (DateTime?)null).SetProperty(x => x.LeaseUntil, turn.StartedAt.AddSeconds(-1)).SetProperty(x => x.Node, "a node that died"), Token);
            await db.Traces.IgnoreQueryFilters().Where(t => t.Id == turn.Id).ExecuteUpdateAsync(t => t.SetProperty(x => x.Status, "running").SetProperty(x => x.EndedAt, (DateTime?)null), Token);
            await db.Threads.IgnoreQueryFilters().Where(t => t.Id == thread).ExecuteUpdateAsync(t => t.SetProperty(x => x.ActiveTurnId, turn.Id).SetProperty(x => x.LastSeq, step.Seq + 2), Token);
        }
        await own.PostAsync($"/api/threads/{thread}/messages", new { content = "hello?" }).ShouldBeError(409, "THREAD_BUSY");
        await own.Server.RestartAsync();
        (await own.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null);
        (await own.MessagesAsync(thread))[1].Text("error").ShouldBe("INTERNAL_ERROR");
        (await own.MessagesAsync(thread, "?include=tools")).Single(m => m.Text("role") == "tool" && m.Text("tool_call_id") == "c2").Text("content").ShouldContain("OUTCOME_UNKNOWN");
        var trace = (await own.TraceAsync(thread)).GetProperty("trace");
        trace.Text("status").ShouldBe("error");
        trace.GetProperty("ended_at").ValueKind.ShouldBe(JsonValueKind.String);
        await using var next = await own.SendAsync(thread, new { content = "on" });
        (await next.EndAsync()).Event.ShouldBe("done");
        Prompts.Shape(own.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Wait.", "call:c1", "call:c2", "result:c1", "result:c2", "user:on"]);
    }

    [Fact]
    public async Task A_turn_that_runs_when_the_server_stops_is_stored_as_far_as_it_got()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Server:ShutdownGraceSeconds"] = "0");
        var thread = await own.OpenAsync(TurnWorld.OpenAI);
        own.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "hold", """{"key":"a"}""")).After("Let me see."));
        await using var stream = await own.SendAsync(thread, new { content = "go" });
        await own.Tools.Hold("a").Entered;
        await stream.UntilAsync("tool_executing");
        var restart = own.Server.RestartAsync();
        (await stream.EndAsync()).Data.Text("code").ShouldBe("SERVER_SHUTDOWN");
        await restart;
        var answer = (await own.MessagesAsync(thread))[1];
        (answer.Text("error"), answer.Text("content")).ShouldBe(("SERVER_SHUTDOWN", "Let me see."));
        own.Upstream.Reply(Script.Text("on"));
        (await own.Server.AskAsync(thread, "go on"))[^1].Data.Text("content").ShouldBe("on");
    }

    [Fact]
    public async Task A_turn_nobody_listens_to_has_the_grace_period_too()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Server:ShutdownGraceSeconds"] = "30");
        var thread = await own.OpenAsync();
        await using (var stream = await own.SendAsync(thread, new { content = """/tool hold {"key":"grace"}""", onDisconnect = "continue" })) await own.Tools.Hold("grace").Entered;
        await own.Server.WaitForRunningRequestsAsync(0);
        own.Server.Services.GetRequiredService<RunningRequests>().Any.ShouldBeTrue("a stop waits for the turn");
        var restart = own.Server.RestartAsync();
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "the server stops", () => Task.FromResult(own.Server.Log.Lines.Any(l => l.Contains("Stopping;", StringComparison.Ordinal))));
        restart.IsCompleted.ShouldBeFalse();
        own.Tools.Hold("grace").Release();
        await restart;
        var answer = (await own.MessagesAsync(thread))[1];
        (answer.GetProperty("error").ValueKind, answer.Text("content")).ShouldBe((JsonValueKind.Null, "hold returned: let go"));
    }

    [Fact]
    public async Task A_turn_runs_until_what_follows_from_it_is_queued()
    {
        var ran = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var own = await TurnWorld.StartAsync(services: services => services.AddSingleton<ITurnFollowUp>(all => new FollowUp(all.GetRequiredService<RunningRequests>(), ran)));
        var thread = await own.OpenAsync();
        await using (var stream = await own.SendAsync(thread, new { content = """/tool hold {"key":"follow"}""", onDisconnect = "continue" })) await own.Tools.Hold("follow").Entered;
        await own.Server.WaitForRunningRequestsAsync(0);
        own.Tools.Hold("follow").Release();
        (await ran.Task.WaitAsync(TimeSpan.FromSeconds(30), Token)).ShouldBeTrue("a server that stops must still wait for the turn");
    }

    private static (string?, string, string)[] Lines(EventStream stream) => [.. stream.Seen.Select(e => (e.Id, e.Event, e.Data.GetRawText()))];
}

/// <summary>Tells whether a stop of the server still waits when the turn's follow-ups are told of it.</summary>
internal sealed class FollowUp(RunningRequests running, TaskCompletionSource<bool> ran) : ITurnFollowUp
{
    public void TurnEnded(EndedTurn turn) => ran.TrySetResult(running.Any);
}

internal static class KeyedMessages
{
    public static async Task<HttpResponseMessage> PostKeyedAsync(this TurnWorld world, Guid thread, object message, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{thread}/messages") { Content = TurnWorld.Body(message) };
        request.Headers.Add("Idempotency-Key", key);
        return await world.Server.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
