using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Threads.Turns;
using Flapjack.Testing;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Nodes that die, freeze, thaw and stop in the middle of turns. A second node on the same database stands for the one that comes after.</summary>
public sealed class TurnRecoveryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_frozen_node_that_thaws_writes_nothing_stale()
    {
        await using var world = await TurnWorld.StartAsync();
        var thread = await world.OpenAsync();
        await using var frozen = await world.SendAsync(thread, new { content = """/tool hold {"key":"frozen"}""", onDisconnect = "continue" });
        await world.Tools.Hold("frozen").Entered;
        await frozen.UntilAsync("tool_executing");
        await ExpireAsync(world);
        await using var node = world.Server.StartPeer();
        var answer = await AnswerAsync(world, thread, node.Client);
        answer.Text("content").ShouldContain("OUTCOME_UNKNOWN");
        world.Tools.Hold("frozen").Release("too late");
        // No last event: the turn was answered in another stream.
        await Should.ThrowAsync<IOException>(() => frozen.DrainAsync());
        frozen.Seen.ShouldNotContain(e => e.Event == "done" || e.Event == "error");
        var rows = await world.MessagesAsync(thread, "?include=tools");
        rows.Select(m => m.Text("role")).ShouldBe(["user", "tool", "assistant"]);
        rows[1].Text("content").ShouldContain("OUTCOME_UNKNOWN");
        world.Tools.Hold("frozen").Calls.Count.ShouldBe(1);
        (await world.TraceAsync(thread)).GetProperty("trace").Text("status").ShouldBe("ok");
    }

    [Fact]
    public async Task An_idempotent_call_without_result_is_made_again_with_its_id()
    {
        await using var world = await TurnWorld.StartAsync();
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "words", "{}"), new ScriptedCall("c2", "lookup", """{"key":"again"}""")).After("Looking."), Script.Text("Found."));
        await using var frozen = await world.SendAsync(thread, new { content = "go", onDisconnect = "continue" });
        await world.Tools.Hold("again").Entered;
        await frozen.UntilAsync("tool_result");
        await ExpireAsync(world);
        await using var node = world.Server.StartPeer();
        await using var resumed = await world.AttachAsync(thread, client: node.Client);
        world.Tools.Hold("again").Release("here");
        await resumed.UntilAsync("done");
        resumed.Seen.Select(e => e.Event).ShouldBe(["meta", "token", "tool_call", "tool_executing", "tool_result", "token", "token", "done"]);
        string.Concat(resumed.Seen.Where(e => e.Event == "token").Select(e => e.Data.Text("delta"))).ShouldBe("Looking.\n\nFound.");
        resumed.Seen[^1].Data.Text("content").ShouldBe("Looking.\n\nFound.");
        resumed.Seen[0].Id.ShouldNotBe(frozen.Seen[0].Id);
        world.Tools.Hold("again").Calls.Distinct().Count().ShouldBe(1);
        world.Tools.Hold("again").Calls.Count.ShouldBe(2);
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "assistant:Looking.", "call:c1", "call:c2", "result:c1", "result:c2"]);
        var usage = (await world.MessagesAsync(thread))[1].GetProperty("usage");
        usage.GetProperty("input_tokens").GetInt64().ShouldBe(20);
    }

    [Fact]
    public async Task A_turn_that_goes_on_keeps_its_format()
    {
        await using var world = await TurnWorld.StartAsync();
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "lookup", """{"key":"format"}""")).After("Looking."), Script.Text("Found."), Script.Text("[1]"));
        await using var frozen = await world.SendAsync(thread, new { content = "go", onDisconnect = "continue", responseFormat = new { type = "json" } });
        await world.Tools.Hold("format").Entered;
        await frozen.UntilAsync("tool_executing");
        await ExpireAsync(world);
        await using var node = world.Server.StartPeer();
        await using var resumed = await world.AttachAsync(thread, client: node.Client);
        world.Tools.Hold("format").Release("here");
        var done = (await resumed.UntilAsync("done")).Data;
        (done.Text("content"), done.GetProperty("output").GetRawText()).ShouldBe(("[1]", "[1]"));
        Prompts.Shape(world.Upstream.LastRequest.Body)[..4].ShouldBe(["user:go", "assistant:Looking.", "call:c1", "result:c1"]);
    }

    [Fact]
    public async Task A_turn_nobody_wanted_continued_ends_with_the_text_that_was_seen()
    {
        await using var world = await TurnWorld.StartAsync();
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        var pieces = new SemaphoreSlim(0);
        world.Upstream.Reply(Script.Text("One", " two", " three", " four").Paced(() => pieces.WaitAsync(Token)));
        await using var stream = await world.SendAsync(thread, new { content = "count" });
        pieces.Release(2);
        await stream.UntilAsync("token");
        await stream.UntilAsync("token");
        // A checkpoint falls due; the next token brings it.
        world.Server.Time.Advance(TimeSpan.FromSeconds(2));
        pieces.Release();
        await stream.UntilAsync("token");
        await CheckpointAsync(world, "One two three");
        await ExpireAsync(world);
        await using var node = world.Server.StartPeer();
        var answer = await AnswerAsync(world, thread, node.Client);
        (answer.Text("content"), answer.Text("error"), answer.GetProperty("stopped").GetBoolean()).ShouldBe(("One two three", "INTERNAL_ERROR", false));
        world.Upstream.Reply(Script.Text("fine"));
        await using (var next = await world.SendAsync(thread, new { content = "and now?" }, node.Client)) (await next.UntilAsync("done")).Data.Text("content").ShouldBe("fine");
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:count", "assistant:One two three", "user:and now?"]);
    }

    [Fact]
    public async Task A_turn_whose_client_wanted_it_continued_goes_on_after_a_shutdown()
    {
        await using var world = await TurnWorld.StartAsync(settings => settings["Server:ShutdownGraceSeconds"] = "0");
        var thread = await world.OpenAsync();
        await using var stream = await world.SendAsync(thread, new { content = """/tool lookup {"key":"stop"}""", onDisconnect = "continue" }, key: "k");
        await world.Tools.Hold("stop").Entered;
        await stream.UntilAsync("tool_executing");
        var restart = world.Server.RestartAsync();
        (await stream.EndAsync()).Data.Text("code").ShouldBe("SERVER_SHUTDOWN");
        await restart;
        world.Tools.Hold("stop").Release("after all");
        (await AnswerAsync(world, thread, world.Server.Client)).Text("content").ShouldBe("lookup returned: after all");
        world.Tools.Hold("stop").Calls.Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_turn_that_keeps_bringing_nodes_down_is_given_up()
    {
        await using var world = await TurnWorld.StartAsync();
        var thread = await world.OpenAsync();
        await using var stream = await world.SendAsync(thread, new { content = """/tool hold {"key":"poison"}""", onDisconnect = "continue" });
        await world.Tools.Hold("poison").Entered;
        await ExpireAsync(world, fence: 3);
        await using var node = world.Server.StartPeer();
        (await AnswerAsync(world, thread, node.Client)).Text("error").ShouldBe("INTERNAL_ERROR");
    }

    /// <summary>Nobody has said for long that the turns run.</summary>
    private static async Task ExpireAsync(TurnWorld world, long? fence = null)
    {
        await using var db = world.Server.Database();
        await db.Turns.IgnoreQueryFilters().Where(t => t.Status == TurnStatuses.Running).ExecuteUpdateAsync(t => t.SetProperty(x => x.LeaseUntil, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)), Token);
        if (fence is { } count) await db.Turns.IgnoreQueryFilters().ExecuteUpdateAsync(t => t.SetProperty(x => x.Fence, count), Token);
    }

    private static async Task CheckpointAsync(TurnWorld world, string text)
    {
        await using var db = world.Server.Database();
        await WaitAsync(async () => await db.Turns.IgnoreQueryFilters().AsNoTracking().AnyAsync(t => t.Progress != null && t.Progress.Contains(text), Token), $"a checkpoint with '{text}'");
    }

    private static async Task<JsonElement> AnswerAsync(TurnWorld world, Guid thread, HttpClient client)
    {
        JsonElement answer = default;
        await WaitAsync(async () =>
        {
            var messages = (await world.GetAsync($"/api/threads/{thread}/messages", client)).GetProperty("messages").EnumerateArray().ToList();
            answer = messages[^1];
            return answer.Text("role") == "assistant";
        }, "the answer");
        return answer;
    }

    private static async Task WaitAsync(Func<Task<bool>> condition, string what)
    {
        var deadline = Environment.TickCount64 + 20_000;
        while (!await condition())
        {
            if (Environment.TickCount64 > deadline) throw new TimeoutException($"waited in vain for {what}");
            await Task.Delay(10, Token);
        }
    }
}
