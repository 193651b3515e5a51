using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Delegation;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads.Compactions;

/// <summary>Conversations that the server summarises itself: OpenAI's models with an extra call of the smallest, others with one of their own.</summary>
public sealed class SummaryTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_over_the_threshold_ends_with_a_summary_that_later_turns_carry()
    {
        var thread = await OpenAsync();
        world.Upstream.Reply(Script.Text("One.").WithUsage(new(500, 10)));
        await AskAsync(thread, "first question");
        world.Upstream.Reply(Script.Text("Two.").WithUsage(new(5_000, 100)), Script.Text("They asked", " twice.").WithUsage(new(800, 40)));
        var events = await AskAsync(thread, "second question");
        events.Select(e => e.Event).ShouldBe(["meta", "token", "client_event", "done"]);
        var compaction = events.Of("client_event").Single();
        compaction.Text("kind").ShouldBe("compaction");
        var payload = compaction.GetProperty("payload");
        payload.GetProperty("before_tokens").GetInt64().ShouldBe(5_100);
        payload.GetProperty("after_tokens").GetInt64().ShouldBeInRange(5_000, 5_140);

        // The summary is asked of the small model, about everything but the turn itself, and its cost is the turn's.
        var asked = world.Upstream.LastRequest.Body;
        asked.Text("model").ShouldBe("gpt-5.4-nano");
        var record = asked.ToString();
        record.ShouldContain("user: first question");
        record.ShouldContain("assistant: One.");
        record.ShouldNotContain("second question");
        var usage = events[^1].Data.GetProperty("usage");
        usage.GetProperty("input_tokens").GetInt64().ShouldBe(5_800);
        usage.GetProperty("cost_usd").GetDecimal().ShouldBe(5_000 * 2.5m / 1e6m + 100 * 15m / 1e6m + 800 * 0.2m / 1e6m + 40 * 1.25m / 1e6m);
        var trace = await world.TraceAsync(thread);
        trace.GetProperty("trace").GetProperty("total_cost_usd").GetDecimal().ShouldBe(usage.GetProperty("cost_usd").GetDecimal());
        var spans = trace.GetProperty("spans").EnumerateArray().ToList();
        var group = spans.Single(s => s.Text("kind") == "chain");
        spans.Single(s => s.GetProperty("parent_span_id").GetString() == group.Text("id")).Text("model").ShouldBe("gpt-5.4-nano");

        // Later turns read the summary instead; people still read everything.
        world.Upstream.Reply(Script.Text("Three."));
        await AskAsync(thread, "third question");
        Prompts.Shape(world.Upstream.LastRequest.Body).Where(line => !line.StartsWith("system", StringComparison.Ordinal)).ShouldBe(["user:second question", "assistant:Two.", "user:third question"]);
        world.Upstream.LastRequest.Body.ToString().ShouldContain("They asked twice.");
        (await world.MessagesAsync(thread)).Count.ShouldBe(6);
    }

    [Fact]
    public async Task The_next_summary_is_made_of_the_last_one_and_what_came_since()
    {
        var thread = await OpenAsync();
        for (var i = 1; i <= 3; i++)
        {
            world.Upstream.Reply(Script.Text($"Answer {i}.").WithUsage(new(5_000, 10)), Script.Text($"Notes {i}."));
            await AskAsync(thread, $"question {i}");
        }
        var record = world.Upstream.LastRequest.Body.ToString();
        record.ShouldContain("notes of the earlier part: Notes 2.");
        record.ShouldContain("question 2");
        record.ShouldNotContain("question 1");
        world.Upstream.Reply(Script.Text("Four."));
        await AskAsync(thread, "question 4");
        world.Upstream.LastRequest.Body.ToString().ShouldContain("Notes 3.");
        world.Upstream.LastRequest.Body.ToString().ShouldNotContain("Notes 2.");
    }

    [Fact]
    public async Task Without_the_vendors_beta_the_server_summarises_for_its_models_too()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Providers:anthropic:Betas:0"] = "interleaved-thinking-2025-05-14");
        var agent = await own.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.Claude });
        await own.Server.Client.PutAsync($"/api/agents/{agent}/compaction", TurnWorld.Body(new { enabled = true, openaiCompactThreshold = 1_000 }), Token).ShouldBe(200);
        var thread = await own.Server.CreateThreadAsync(agent);
        foreach (var input in (int[])[500, 5_000])
        {
            own.Upstream.Reply(Script.Text("Yes.").WithUsage(new(input, 10)));
            if (input == 5_000) own.Upstream.Reply(Script.Text("Notes."));
            await using var stream = await own.SendAsync(thread, new { content = "a question" });
            await stream.EndAsync();
            if (input == 5_000) stream.Seen.Of("client_event").Single().Text("kind").ShouldBe("compaction");
        }
    }

    [Fact]
    public async Task Calls_and_their_results_stay_together()
    {
        var thread = await OpenAsync();
        world.Upstream.Reply(Script.Text("Hello.").WithUsage(new(10, 1)));
        await AskAsync(thread, "hi");
        // One turn that is by itself more than may stay: it is summarised whole, calls with their results.
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "large", "{}")).After("Looking.").WithUsage(new(3_000, 10)), Script.Text("Found.").WithUsage(new(20_000, 10)), Script.Text("All notes."));
        await AskAsync(thread, "look");
        var record = world.Upstream.LastRequest.Body.ToString();
        foreach (var part in (string[])["user: hi", "user: look", "assistant: Looking.", "call of large: {}", "result of large: "]) record.ShouldContain(part);
        world.Upstream.Reply(Script.Text("ok"));
        await AskAsync(thread, "and now?");
        var shape = Prompts.Shape(world.Upstream.LastRequest.Body);
        shape.ShouldNotContain(line => line.StartsWith("call", StringComparison.Ordinal) || line.StartsWith("result", StringComparison.Ordinal));
        shape[^2..].ShouldBe(["assistant:Found.", "user:and now?"]);
    }

    [Fact]
    public async Task Below_the_threshold_or_switched_off_nothing_is_summarised()
    {
        var thread = await OpenAsync(enabled: false);
        world.Upstream.Reply(Script.Text("One.").WithUsage(new(90_000, 10)));
        (await AskAsync(thread, "a")).Of("client_event").ShouldBeEmpty();
        thread = await OpenAsync();
        world.Upstream.Reply(Script.Text("One.").WithUsage(new(1_900, 100)));
        (await AskAsync(thread, "a")).Of("client_event").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_summary_that_fails_is_no_fault_of_the_turn_and_is_tried_again()
    {
        var thread = await OpenAsync();
        world.Upstream.Reply(Script.Text("Zero.").WithUsage(new(10, 1)));
        await AskAsync(thread, "q");
        world.Upstream.Reply(Script.Text("One.").WithUsage(new(5_000, 10)), Script.Status(400, """{"error":{"message":"no","type":"invalid_request_error"}}"""));
        var events = await AskAsync(thread, "a");
        events[^1].Data.Text("finishReason").ShouldBe("stop");
        events.Of("client_event").ShouldBeEmpty();
        world.Upstream.Reply(Script.Text("Two.").WithUsage(new(5_000, 10)), Script.Text("Notes."));
        (await AskAsync(thread, "b")).Of("client_event").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_prompt_that_does_not_fit_is_summarised_and_tried_once_more()
    {
        var thread = await OpenAsync(threshold: 1_000_000);
        world.Upstream.Reply(Script.Text("One.").WithUsage(new(10, 1)));
        await AskAsync(thread, "first question");
        world.Upstream.Reply(TooLong, Script.Text("Short notes.").WithUsage(new(100, 10)), Script.Text("It fits."));
        var events = await AskAsync(thread, "second question");
        events.Select(e => e.Event).ShouldBe(["meta", "client_event", "token", "done"]);
        events[^1].Data.Text("content").ShouldBe("It fits.");
        Prompts.Shape(world.Upstream.LastRequest.Body).Where(line => !line.StartsWith("system", StringComparison.Ordinal)).ShouldBe(["user:second question"]);
        (await world.TraceAsync(thread)).GetProperty("spans").EnumerateArray().Count(s => s.Text("kind") == "llm").ShouldBe(3);
    }

    [Fact]
    public async Task What_does_not_fit_even_then_is_an_error()
    {
        var thread = await OpenAsync(threshold: 1_000_000);
        world.Upstream.Reply(Script.Text("One."));
        await AskAsync(thread, "first question");
        world.Upstream.Reply(TooLong, Script.Text("Notes."), TooLong);
        (await AskAsync(thread, "second question"))[^1].Data.Text("code").ShouldBe("CONTEXT_TOO_LONG");
        var off = await OpenAsync(enabled: false);
        world.Upstream.Reply(Script.Text("One."));
        await AskAsync(off, "first question");
        world.Upstream.Reply(TooLong);
        (await AskAsync(off, "second question"))[^1].Data.Text("code").ShouldBe("CONTEXT_TOO_LONG");
    }

    [Fact]
    public async Task Forks_carry_a_summary_only_where_they_hold_what_it_was_made_of()
    {
        var thread = await OpenAsync();
        for (var i = 1; i <= 3; i++)
        {
            world.Upstream.Reply(Script.Text($"Answer {i}.").WithUsage(new(i == 3 ? 5_000 : 10, 10)));
            if (i == 3) world.Upstream.Reply(Script.Text("Notes."));
            await AskAsync(thread, $"question {i}");
        }
        var messages = await world.MessagesAsync(thread);
        var late = await ForkAsync(thread, messages[^1].Text("id"));
        world.Upstream.Reply(Script.Text("ok"), Script.Text("ok"));
        await AskAsync(late, "more");
        Shape().ShouldBe(["user:question 3", "assistant:Answer 3.", "user:more"]);
        world.Upstream.LastRequest.Body.ToString().ShouldContain("Notes.");
        var early = await ForkAsync(thread, messages[1].Text("id"));
        await AskAsync(early, "more");
        Shape().ShouldBe(["user:question 1", "assistant:Answer 1.", "user:more"]);
        world.Upstream.LastRequest.Body.ToString().ShouldNotContain("Notes.");
    }

    [Fact]
    public async Task Another_vendor_is_asked_for_its_summary_itself()
    {
        var model = await FakeUpstream.StartAsync();
        await using var upstream = model;
        await using var own = await TurnWorld.StartAsync(settings =>
        {
            settings["Providers:fake:Kind"] = "openai_compatible";
            settings["Providers:fake:BaseUrl"] = model.OpenAI.ToString();
            settings["Providers:fake:ApiKey"] = "sk-fake";
        });
        var agent = await own.AgentAsync("Ada", "fake/one");
        await own.PutAsync($"/api/agents/{agent}/compaction", new { enabled = true, openaiCompactThreshold = 2_000 });
        var thread = await own.Server.CreateThreadAsync(agent);
        model.Reply(Script.Text("One.").WithUsage(new(10, 1)), Script.Text("Two.").WithUsage(new(5_000, 10)), Script.Text("Notes."), Script.Text("Three."));
        foreach (var question in (string[])["a", "b", "c"]) await own.Server.AskAsync(thread, question);
        model.Requests.Select(r => r.Body.Text("model")).ShouldBe(["one", "one", "one", "one"]);
        var messages = model.LastRequest.Body.GetProperty("messages").EnumerateArray().ToList();
        messages[0].ToString().ShouldContain("Notes.");
        messages.Skip(1).Select(m => m.Text("role")).ShouldBe(["user", "assistant", "user"]);
        own.Upstream.Requests.ShouldBeEmpty();
    }

    private static Script TooLong => Script.Status(400, """{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}""");

    private List<string> Shape() => [.. Prompts.Shape(world.Upstream.LastRequest.Body).Where(line => !line.StartsWith("system", StringComparison.Ordinal))];

    private async Task<Guid> ForkAsync(Guid thread, string message) => (await world.PostAsync($"/api/threads/{thread}/fork", new { messageId = message }).ShouldBe(201)).GetProperty("id").GetGuid();

    private async Task<Guid> OpenAsync(bool enabled = true, int threshold = 2_000)
    {
        world.Upstream.Forget();
        var agent = await world.AgentAsync("Ada", TurnWorld.OpenAI);
        await world.PutAsync($"/api/agents/{agent}/compaction", new { enabled, openaiCompactThreshold = threshold });
        return await world.Server.CreateThreadAsync(agent);
    }

    private async Task<List<ServerEvent>> AskAsync(Guid thread, string content)
    {
        await using var stream = await world.SendAsync(thread, new { content });
        await stream.EndAsync();
        return stream.Seen;
    }
}
