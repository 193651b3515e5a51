using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Delegation;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads.Compactions;

/// <summary>Conversations that Anthropic's API summarises: the summary is kept and sent back, and what stands before it is not sent any more.</summary>
public sealed class NativeCompactionTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    [Fact]
    public async Task The_api_is_told_when_and_how()
    {
        var thread = await OpenAsync(new { enabled = true, anthropicTriggerTokens = 60_000, anthropicInstructions = "Keep names.", anthropicPauseAfter = true });
        await AskAsync(thread, "hi");
        world.Upstream.LastRequest.Headers["anthropic-beta"].ShouldContain("compact-2026-01-12");
        world.Upstream.LastRequest.Body.GetProperty("context_management").GetRawText().ShouldBe(
            """{"edits":[{"type":"compact_20260112","trigger":{"type":"input_tokens","value":60000},"pause_after_compaction":true,"instructions":"Keep names."}]}""");
        thread = await OpenAsync(new { enabled = false });
        await AskAsync(thread, "hi");
        world.Upstream.LastRequest.Body.TryGetProperty("context_management", out _).ShouldBeFalse();
        world.Upstream.LastRequest.Headers.GetValueOrDefault("anthropic-beta", "").ShouldNotContain("compact");
    }

    [Fact]
    public async Task A_summary_goes_back_and_what_it_replaced_does_not()
    {
        var thread = await OpenAsync(new { enabled = true });
        world.Upstream.Reply(Script.Text("One."));
        await AskAsync(thread, "first question");
        world.Upstream.Reply(Script.Text("Two.").WithUsage(new(4_000, 100)).Compacting("What was said.", "opaque", new(160_000, 900)));
        var events = await AskAsync(thread, "second question");
        events.Select(e => e.Event).ShouldBe(["meta", "token", "client_event", "done"]);
        events.Of("client_event").Single().GetRawText().ShouldBe("""{"kind":"compaction","payload":{"before_tokens":160000,"after_tokens":4000}}""");
        // Both calls are the turn's: 164,000 in and 1,000 out.
        var usage = events[^1].Data.GetProperty("usage");
        (usage.GetProperty("input_tokens").GetInt64(), usage.GetProperty("output_tokens").GetInt64()).ShouldBe((164_000L, 1_000L));
        usage.GetProperty("cost_usd").GetDecimal().ShouldBe(0.492m + 0.015m);

        await AskAsync(thread, "third question");
        var messages = world.Upstream.LastRequest.Body.GetProperty("messages").GetRawText();
        messages.ShouldBe("""[{"role":"user","content":[{"type":"text","text":"(The conversation continues.)"}]},{"role":"assistant","content":[{"type":"compaction","content":"What was said.","encrypted_content":"opaque","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Two."}]},{"role":"user","content":[{"type":"text","text":"third question","cache_control":{"type":"ephemeral"}}]}]""");
        // People see no summary.
        (await world.MessagesAsync(thread)).Select(m => m.Text("content")).ShouldBe(["first question", "One.", "second question", "Two.", "third question", "ok"]);
    }

    [Fact]
    public async Task A_summary_before_a_tool_call_travels_through_the_turn_and_after_it()
    {
        var thread = await OpenAsync(new { enabled = true });
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "words", "{}")).Compacting("Before the call.", null, new(150_001, 10)), Script.Text("Done."));
        await AskAsync(thread, "where is it");
        Kinds(1).ShouldBe(["compaction", "tool_use"]);
        await AskAsync(thread, "and?");
        Kinds(1).ShouldBe(["compaction", "tool_use"]);
        world.Upstream.LastRequest.Body.GetProperty("messages").GetArrayLength().ShouldBe(5);
        world.Upstream.LastRequest.Body.ToString().ShouldNotContain("where is it");
    }

    [Fact]
    public async Task A_pause_ends_the_turn_and_the_next_message_goes_on_behind_the_summary()
    {
        var thread = await OpenAsync(new { enabled = true, anthropicPauseAfter = true });
        world.Upstream.Reply(Script.Text().WithUsage(new(0, 0)).Compacting("All of it.", null, new(150_001, 700)).Paused(), Script.Text("Onwards."));
        var events = await AskAsync(thread, "a long story");
        events.Where(e => e.Event == "client_event").Select(e => e.Data.Text("kind")).ShouldBe(["compaction", "compaction_paused"]);
        events.Of("client_event").First().GetProperty("payload").GetProperty("after_tokens").GetInt64().ShouldBe(700);
        var done = events[^1].Data;
        (done.Text("content"), done.Text("finishReason"), done.TryGetProperty("messageId", out _)).ShouldBe(("", "compaction_paused", false));
        (await AskAsync(thread, "go on"))[^1].Data.Text("content").ShouldBe("Onwards.");
        Kinds(1).ShouldBe(["compaction"]);
        world.Upstream.LastRequest.Body.ToString().ShouldNotContain("a long story");
        (await world.MessagesAsync(thread)).Select(m => m.Text("content")).ShouldBe(["a long story", "go on", "Onwards."]);
    }

    [Fact]
    public async Task Models_without_compaction_read_the_summary_as_text()
    {
        var thread = await OpenAsync(new { enabled = true });
        world.Upstream.Reply(Script.Text("One.").Compacting("What was said.", "opaque", new(160_000, 900)));
        await AskAsync(thread, "first question");
        await using (var stream = await world.SendAsync(thread, new { content = "second question", modelOverride = TurnWorld.OpenAI })) await stream.EndAsync();
        var input = world.Upstream.LastRequest.Body.GetProperty("input").ToString();
        input.ShouldContain("What was said.");
        input.ShouldNotContain("first question");
        input.ShouldNotContain("opaque");
    }

    [Fact]
    public async Task A_compaction_that_failed_changes_nothing()
    {
        var thread = await OpenAsync(new { enabled = true });
        world.Upstream.Reply(Script.Text("One.").Compacting(null, null, new(160_000, 0)));
        (await AskAsync(thread, "first question")).Of("client_event").ShouldBeEmpty();
        await AskAsync(thread, "second question");
        world.Upstream.LastRequest.Body.ToString().ShouldContain("first question");
    }

    [Fact]
    public async Task A_fork_that_ends_before_the_summary_reads_everything()
    {
        var thread = await OpenAsync(new { enabled = true });
        world.Upstream.Reply(Script.Text("One."), Script.Text("Two.").Compacting("What was said.", null, new(160_000, 900)));
        await AskAsync(thread, "first question");
        await AskAsync(thread, "second question");
        var messages = await world.MessagesAsync(thread);
        foreach (var (message, kinds) in ((int, string[])[])[(2, ["text"]), (3, ["compaction", "text"])])
        {
            var fork = (await world.PostAsync($"/api/threads/{thread}/fork", new { messageId = messages[message].Text("id") }).ShouldBe(201)).GetProperty("id").GetGuid();
            await AskAsync(fork, "more");
            Kinds(1).ShouldBe(kinds);
        }
    }

    private List<string> Kinds(int message) => [.. world.Upstream.LastRequest.Body.GetProperty("messages")[message].GetProperty("content").EnumerateArray().Select(block => block.Text("type"))];

    private async Task<Guid> OpenAsync(object compaction)
    {
        world.Upstream.Forget();
        var agent = await world.AgentAsync("Ada", TurnWorld.Claude);
        await world.PutAsync($"/api/agents/{agent}/compaction", compaction);
        return await world.Server.CreateThreadAsync(agent);
    }

    private async Task<List<ServerEvent>> AskAsync(Guid thread, string content)
    {
        await using var stream = await world.SendAsync(thread, new { content });
        await stream.EndAsync();
        return stream.Seen;
    }
}
