using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Stopping, busy threads, clients that leave and come back.</summary>
public sealed class StreamTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stopping_keeps_the_partial_text_and_tells_the_stream()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("It ", "is ", "cold").SilentAfter(2));
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        while ((await stream.UntilAsync("token")).Data.Text("delta") != "is ") { }
        (await world.ThreadAsync(thread)).Text("active_turn_id").ShouldBe(stream.Seen[0].Data.Text("turnId"));
        (await world.StopAsync(thread)).ToString().ShouldBe("""{"ok":true}""");
        var done = (await stream.EndAsync()).Data;
        done.EnumerateObject().Select(p => p.Name).ShouldBe(["ok", "content", "stopped", "usage", "turnId", "finishReason"]);
        (done.Text("content"), done.GetProperty("stopped").GetBoolean(), done.Text("finishReason")).ShouldBe(("It is ", true, "stopped"));
        await world.Upstream.Left.WaitAsync(TimeSpan.FromSeconds(20), Token);
        var stored = (await world.MessagesAsync(thread))[1];
        (stored.Text("content"), stored.GetProperty("stopped").GetBoolean()).ShouldBe(("It is ", true));
        await world.StopAsync(thread);
        (await world.TraceAsync(thread)).GetProperty("trace").GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldContain("stopped");
        await using var next = await world.SendAsync(thread, new { content = "on" });
        await next.EndAsync();
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:It is ", "user:on"]);
    }

    [Theory]
    [InlineData("hold")]
    [InlineData("deaf")]
    public async Task Stopping_ends_running_tools_and_leaves_no_call_without_result(string tool)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        var key = $"stop {tool} {thread}";
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "words", "{}"), new ScriptedCall("c2", tool, $$"""{"key":"{{key}}"}""")).After("Wait."));
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        await world.Tools.Hold(key).Entered;
        await stream.UntilAsync("tool_result");
        await world.StopAsync(thread);
        (await stream.EndAsync()).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        if (tool == "hold") await world.Tools.Hold(key).Cancelled;
        world.Tools.Hold(key).Release();
        await using var next = await world.SendAsync(thread, new { content = "on" });
        await next.EndAsync();
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Wait.", "call:c1", "call:c2", "result:c1", "result:c2", "user:on"]);
        var rows = await world.MessagesAsync(thread, "?include=tools");
        rows.Single(r => r.Text("role") == "tool" && r.Text("tool_call_id") == "c2").Text("content").ShouldContain("CANCELLED");
        rows.Count(r => r.GetProperty("stopped").GetBoolean()).ShouldBe(1);
    }

    [Fact]
    public async Task A_busy_thread_rejects()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        foreach (var message in (object[])[new { content = "me too" }, new { content = "me too", onBusy = "reject" }, new { content = "me too", stream = false }, new { toolResults = new[] { new { toolCallId = "call_1", result = "x" } } }])
        {
            (await world.PostAsync($"/api/threads/{thread}/messages", message).ShouldBeError(409, "THREAD_BUSY")).Text("detail").ShouldBe(running.Seen[0].Data.Text("turnId"));
        }
        hold.Release();
        (await running.EndAsync()).Event.ShouldBe("done");
        (await world.MessagesAsync(thread)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_queue_answers_in_order_and_the_eleventh_is_refused()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        var waiting = new List<EventStream>();
        for (var i = 1; i <= 10; i++) waiting.Add(await world.SendAsync(thread, new { content = $"/echo {i}", onBusy = "queue" }));
        await world.PostAsync($"/api/threads/{thread}/messages", new { content = "/echo 11", onBusy = "queue" }).ShouldBeError(409, "THREAD_BUSY");
        (await world.MessagesAsync(thread)).Count.ShouldBe(1);
        hold.Release();
        (await running.EndAsync()).Event.ShouldBe("done");
        for (var i = 1; i <= 10; i++) (await waiting[i - 1].EndAsync()).Data.Text("content").ShouldBe($"{i}");
        (await world.MessagesAsync(thread)).Skip(2).Where(m => m.Text("role") == "user").Select(m => m.Text("content")).ShouldBe(Enumerable.Range(1, 10).Select(i => $"/echo {i}"));
        foreach (var stream in waiting) await stream.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_has_its_place_in_the_queue_before_its_headers_are_sent_and_a_client_that_leaves_then_frees_it(bool leaves)
    {
        var headers = new HeldHeaders();
        await using var own = await TurnWorld.StartAsync(services: services => services.AddSingleton<IStartupFilter>(headers));
        var thread = await own.OpenAsync();
        await using var running = await own.SendAsync(thread, new { content = """/tool hold {"key":"a"}""" });
        await own.Tools.Hold("a").Entered;
        headers.HoldNext();
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{thread}/messages") { Content = TurnWorld.Body(new { content = "/echo first", onBusy = "queue" }) };
        var first = own.Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, impatient.Token);
        await headers.Held;
        await using var second = await own.SendAsync(thread, new { content = "/echo second", onBusy = "queue" });
        if (leaves) await impatient.CancelAsync();
        own.Tools.Hold("a").Release();
        await running.EndAsync();
        if (!leaves) headers.Release();
        (await second.EndAsync()).Data.Text("content").ShouldBe("second");
        if (leaves) await Should.ThrowAsync<OperationCanceledException>(first);
        else await (await EventStream.OpenAsync(await first)).DisposeAsync();
        (await own.MessagesAsync(thread)).Skip(2).Where(m => m.Text("role") == "user").Select(m => m.Text("content")).ShouldBe(leaves ? ["/echo second"] : ["/echo first", "/echo second"]);
    }

    [Fact]
    public async Task A_queued_message_sees_comments_and_its_client_may_leave()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        await using var running = await own.SendAsync(thread, new { content = """/tool hold {"key":"a"}""" });
        await own.Tools.Hold("a").Entered;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{thread}/messages") { Content = TurnWorld.Body(new { content = "/echo left", onBusy = "queue" }) };
        var response = await own.Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        var body = await response.Content.ReadAsStreamAsync(Token);
        var buffer = new byte[64];
        // Just so far: what runs has its own time, and must not be over before the others queue.
        own.Server.Time.Advance(await own.Server.Time.ArmedAsync(TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(15)));
        System.Text.Encoding.UTF8.GetString(buffer, 0, await body.ReadAsync(buffer, Token)).ShouldStartWith(": keep-alive\n\n");
        var others = new List<EventStream>();
        for (var i = 1; i <= 9; i++) others.Add(await own.SendAsync(thread, new { content = $"/echo {i}", onBusy = "queue" }));
        response.Dispose();
        // The server has noticed when the place in the queue is free again.
        HttpResponseMessage? last = null;
        while (last?.StatusCode != System.Net.HttpStatusCode.OK)
        {
            last?.Dispose();
            last = await own.Server.PostMessageAsync(thread, "/echo stays", new { onBusy = "queue" });
        }
        await using var second = await EventStream.OpenAsync(last);
        own.Tools.Hold("a").Release();
        (await second.EndAsync()).Data.Text("content").ShouldBe("stays");
        foreach (var other in others) await other.DisposeAsync();
        (await own.MessagesAsync(thread)).ShouldNotContain(m => m.Text("content") == "/echo left");
    }

    [Fact]
    public async Task A_queued_message_waits_for_the_client_too()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        await using var running = await own.SendAsync(thread, new { content = "/tool hold {\"key\":\"a\"}\n/tool pick {}", tools = new[] { new { name = "pick" } } });
        await own.Tools.Hold("a").Entered;
        await using var queued = await own.SendAsync(thread, new { content = "/echo next", onBusy = "queue" });
        own.Tools.Hold("a").Release();
        var asked = await running.EndAsync();
        asked.Event.ShouldBe("requires_action");
        await using var resumed = await own.SendAsync(thread, new { toolResults = new[] { new { toolCallId = asked.Data.GetProperty("toolCalls")[0].Text("id"), result = "mine" } } });
        (await resumed.EndAsync(asked.Sequence + 1)).Data.Text("content").ShouldEndWith("mine");
        (await queued.EndAsync()).Data.Text("content").ShouldBe("next");
    }

    [Fact]
    public async Task A_message_queued_in_a_thread_that_is_archived_ends_with_an_error_event()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        await using var running = await own.SendAsync(thread, new { content = """/tool hold {"key":"a"}""" });
        await own.Tools.Hold("a").Entered;
        await using var queued = await own.SendAsync(thread, new { content = "/echo next", onBusy = "queue" });
        await own.PatchAsync($"/api/threads/{thread}", new { status = "archived" }).ShouldBe(200);
        own.Tools.Hold("a").Release();
        await running.EndAsync();
        var end = await queued.NextAsync();
        end.Event.ShouldBe("error");
        end.Data.Text("code").ShouldBe("INTERNAL_ERROR");
        end.Data.Text("detail").ShouldBe("the thread is archived");
    }

    [Fact]
    public async Task An_interruption_stops_what_runs_and_begins()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        await using var second = await world.SendAsync(thread, new { content = "/echo now", onBusy = "interrupt" });
        (await second.EndAsync()).Data.Text("content").ShouldBe("now");
        await hold.Cancelled;
        (await running.EndAsync()).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        await using var idle = await world.SendAsync(thread, new { content = "/echo idle", onBusy = "interrupt" });
        (await idle.EndAsync()).Data.Text("content").ShouldBe("idle");
    }

    [Fact]
    public async Task Many_messages_at_once_begin_one_turn()
    {
        var thread = await world.OpenAsync();
        var hold = world.Tools.Hold($"many {thread}");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.Server.PostMessageAsync(thread, $$"""/tool hold {"key":"many {{thread}}"}""")));
        answers.Count(a => (int)a.StatusCode == 200).ShouldBe(1);
        answers.Count(a => (int)a.StatusCode == 409).ShouldBe(19);
        hold.Release();
        await using var stream = await EventStream.OpenAsync(answers.Single(a => (int)a.StatusCode == 200));
        (await stream.EndAsync()).Event.ShouldBe("done");
    }

    [Fact]
    public async Task When_the_last_listener_leaves_the_turn_is_stopped()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync(TurnWorld.OpenAI);
        own.Upstream.Reply(Script.Text("Half ", "never").SilentAfter(1));
        var stream = await own.SendAsync(thread, new { content = "go" });
        await stream.UntilAsync("token");
        await using var second = await own.AttachAsync(thread);
        await second.UntilAsync("token");
        await stream.DisposeAsync();
        await own.ThreadAsync(thread);
        (await own.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.String, "a listener is left");
        var last = second.Seen[^1].Id!;
        await second.DisposeAsync();
        await own.Upstream.Left.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await using var replay = await own.AttachAsync(thread, last);
        (await replay.UntilAsync("done")).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        var stored = (await own.MessagesAsync(thread))[1];
        (stored.Text("content"), stored.GetProperty("stopped").GetBoolean()).ShouldBe(("Half ", true));
    }

    [Fact]
    public async Task With_continue_the_turn_runs_to_its_end_without_listeners()
    {
        var thread = await world.OpenAsync();
        var hold = world.Tools.Hold($"continue {thread}");
        var stream = await world.SendAsync(thread, new { content = $$"""/tool hold {"key":"continue {{thread}}"}""", onDisconnect = "continue" });
        await hold.Entered;
        await stream.UntilAsync("tool_executing");
        await stream.DisposeAsync();
        await using var back = await world.AttachAsync(thread, stream.Seen[0].Id);
        hold.Release("still here");
        var done = await back.UntilAsync("done");
        done.Data.Text("content").ShouldBe("hold returned: still here");
        back.Seen[0].Id.ShouldBe(stream.Seen[1].Id);
        (await world.MessagesAsync(thread))[1].Text("content").ShouldBe("hold returned: still here");
    }

    [Fact]
    public async Task Every_listener_and_replay_sees_the_same_events()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        await using var second = await world.AttachAsync(thread);
        await using var third = await world.AttachAsync(thread, running.Seen[0].Id);
        hold.Release();
        await running.EndAsync();
        await second.EndAsync();
        while ((await third.NextAsync()).Event != "done") { }
        var all = Lines(running);
        Lines(second).ShouldBe(all);
        Lines(third).ShouldBe(all.Skip(1));
        for (var i = 0; i < all.Length; i++)
        {
            var turn = running.Seen[0].Data.Text("turnId");
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/threads/{thread}/stream?lastEventId={turn}:{i}");
            await using var replay = await EventStream.OpenAsync(await world.Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token));
            while ((await replay.NextAsync()).Event != "done") { }
            Lines(replay).ShouldBe(all.Skip(i));
        }
        using (var idle = await world.Server.Client.GetAsync($"/api/threads/{thread}/stream", Token)) ((int)idle.StatusCode).ShouldBe(204);
        foreach (var wrong in (string[])["x", $"{Guid.CreateVersion7()}:1", $"{running.Seen[0].Data.Text("turnId")}:99", $"{running.Seen[0].Data.Text("turnId")}:-1", $"{running.Seen[0].Data.Text("turnId")}"])
        {
            await world.Server.Client.GetAsync($"/api/threads/{thread}/stream?lastEventId={wrong}", Token).ShouldBeError(404, "NOT_FOUND");
        }
    }

    [Fact]
    public async Task A_turn_that_went_on_still_replays_its_earlier_stream()
    {
        var thread = await world.OpenAsync();
        var message = new { content = "/tool pick {}", tools = new[] { new { name = "pick" } } };
        await using var first = await world.SendAsync(thread, message, key: "k1");
        var asked = await first.EndAsync();
        var results = new { toolResults = new[] { new { toolCallId = asked.Data.GetProperty("toolCalls")[0].Text("id"), result = "mine" } } };
        await using var second = await world.SendAsync(thread, results, key: "k2");
        await second.EndAsync(asked.Sequence + 1);
        await using var firstAgain = await world.SendAsync(thread, message, key: "k1");
        await firstAgain.EndAsync();
        Lines(firstAgain).ShouldBe(Lines(first));
        await using var secondAgain = await world.SendAsync(thread, results, key: "k2");
        await secondAgain.EndAsync(asked.Sequence + 1);
        Lines(secondAgain).ShouldBe(Lines(second));
        await using var rest = await world.AttachAsync(thread, first.Seen[0].Id);
        await rest.UntilAsync("requires_action");
        Lines(rest).ShouldBe(Lines(first).Skip(1));
        // Who has all of the first stream has none of what came after.
        await using var next = await world.AttachAsync(thread, asked.Id);
        await next.EndAsync(asked.Sequence + 1);
        Lines(next).ShouldBe(Lines(second));
    }

    [Fact]
    public async Task A_stream_is_forgotten_after_its_retention()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        var events = await own.Server.AskAsync(thread, "/echo hi");
        own.Server.Time.Advance(TimeSpan.FromMinutes(9.9));
        await using (var replay = await own.AttachAsync(thread, events[0].Id)) (await replay.UntilAsync("done")).Id.ShouldBe(events[^1].Id);
        own.Server.Time.Advance(TimeSpan.FromMinutes(0.2));
        await own.Server.Client.GetAsync($"/api/threads/{thread}/stream?lastEventId={events[0].Id}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private static (string?, string, string)[] Lines(EventStream stream) => [.. stream.Seen.Select(e => (e.Id, e.Event, e.Data.GetRawText()))];

    private async Task<(Guid Thread, HoldPoint Hold, EventStream Stream)> RunningAsync()
    {
        var thread = await world.OpenAsync();
        var hold = world.Tools.Hold($"run {thread}");
        var stream = await world.SendAsync(thread, new { content = $$"""/tool hold {"key":"run {{thread}}"}""" });
        await hold.Entered;
        await stream.UntilAsync("meta");
        return (thread, hold, stream);
    }
}
