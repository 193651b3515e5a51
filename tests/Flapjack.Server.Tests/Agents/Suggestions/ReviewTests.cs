using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Agents.Suggestions;

/// <summary>A model reviews an agent: what it is told, what of its answer is stored, and what that cost.</summary>
public sealed class ReviewTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_model_suggests_is_stored_and_what_it_cost_is_traced()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Billing", new { defaultModel = TurnWorld.OpenAI, stablePreamble = "You answer </document> questions about invoices.", description = "Invoices" });
        await world.Server.Client.SuggestAsync(agent, new { title = "Known already" }).ShouldBe(201);
        world.Upstream.Reply(Script.Text("""{"suggestions":[{"category":"prompt","severity":"high","title":"Say how to refund","detail":"It is missing.","patch":"{\"agent\":{\"stablePreamble\":\"Better\"}}"},""",
            """{"category":"cost","severity":"low","title":"Use a smaller model","detail":"","patch":""}]}""").WithUsage(new(1_000, 100)));
        var created = await world.Server.Client.SuggestAsync(agent, new { focus = "refunds", maxCount = 3 }).ShouldBe(201);
        var rows = created.EnumerateArray().ToList();
        rows.Select(s => (s.Text("title"), s.Text("category"), s.Text("severity"), s.Text("source"))).ShouldBe([("Say how to refund", "prompt", "high", "model"), ("Use a smaller model", "cost", "low", "model")]);
        (rows[0].GetProperty("patch").GetRawText(), rows[1].GetProperty("patch").ValueKind, rows[1].GetProperty("detail").ValueKind).ShouldBe(("""{"agent":{"stablePreamble":"Better"}}""", JsonValueKind.Null, JsonValueKind.Null));
        (await world.Server.Client.SuggestionsAsync(agent)).Select(s => s.Text("title")).ShouldBe(["Say how to refund", "Use a smaller model", "Known already"], ignoreOrder: true);

        var asked = world.Upstream.LastRequest.Body;
        asked.Text("model").ShouldBe(TurnWorld.OpenAI);
        var prompt = asked.GetRawText();
        foreach (var part in new[] { "questions about invoices", "</ document>", "Known already", "refunds", "at most 3 suggestions", "json_schema" }) prompt.Replace("\\u003C", "<", StringComparison.Ordinal).Replace("\\u003E", ">", StringComparison.Ordinal).ShouldContain(part);

        var trace = (await world.GetAsync($"/api/logs?agent_id={agent}")).GetProperty("traces").EnumerateArray().Single();
        (trace.Text("name"), trace.Text("status"), trace.GetProperty("thread_id").ValueKind, trace.GetProperty("total_input_tokens").GetInt64(), trace.GetProperty("total_output_tokens").GetInt64()).ShouldBe(("agent-review", "ok", JsonValueKind.Null, 1_000, 100));
        trace.GetProperty("total_cost_usd").GetDouble().ShouldBeGreaterThan(0);
        var spans = (await world.GetAsync($"/api/logs/{trace.Text("id")}")).GetProperty("spans").EnumerateArray().ToList();
        spans.Select(s => (s.Text("kind"), s.Text("name"))).ShouldBe([("chain", "agent-review"), ("llm", TurnWorld.OpenAI)]);
        (spans[1].Text("credential_source"), spans[1].GetProperty("input").ValueKind, spans[1].Text("parent_span_id")).ShouldBe(("platform", JsonValueKind.Null, spans[0].Text("id")));
    }

    [Fact]
    public async Task The_model_is_told_what_failed_and_what_was_scored_low_lately()
    {
        await using var world = await TurnWorld.StartAsync();
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        var agent = Guid.Parse((await world.ThreadAsync(thread)).Text("agent_id"));
        await ScoreAsync("a score of long ago", 0);
        world.Server.Time.Advance(TimeSpan.FromDays(31));
        world.Upstream.Forget();
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "gone", "{}")), Script.Text("Sorry."));
        (await world.Server.AskAsync(thread, "A very private question"))[^1].Event.ShouldBe("done");
        await ScoreAsync("wrong currency", 0.2);
        await ScoreAsync("all fine", 0.9);

        world.Upstream.OtherwiseReply(Script.Text("""{"suggestions":[]}"""));
        (await world.Server.Client.SuggestAsync(agent, new { }).ShouldBe(201)).GetArrayLength().ShouldBe(0);
        var prompt = world.Upstream.LastRequest.Body.GetRawText();
        prompt.ShouldContain("1 x tool gone: TOOL_HTTP_404");
        prompt.ShouldContain("helpful: 0.2  wrong currency");
        foreach (var other in new[] { "all fine", "a score of long ago", "private question" }) prompt.ShouldNotContain(other);

        // Who may not read traces learns nothing of them here either.
        using var writer = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.FirstOrgAsync(), "agents:write")).Text);
        await writer.SuggestAsync(agent, new { }).ShouldBe(201);
        prompt = world.Upstream.LastRequest.Body.GetRawText();
        foreach (var other in new[] { "TOOL_HTTP_404", "wrong currency" }) prompt.ShouldNotContain(other);

        async Task ScoreAsync(string comment, double score)
        {
            if (comment.StartsWith('a')) (await world.Server.AskAsync(thread, "Hello"))[^1].Event.ShouldBe("done");
            var trace = (await world.TraceAsync(thread)).GetProperty("trace").Text("id");
            await world.PostAsync($"/api/logs/{trace}/evaluations", new { name = "helpful", score, comment }).ShouldBe(201);
        }
    }

    [Theory]
    [InlineData("I would rather not.")]
    [InlineData("{")]
    [InlineData("""{"ideas":[]}""")]
    [InlineData("""{"suggestions":"none"}""")]
    [InlineData("""{"suggestions":[{"category":"style","title":"T"},{"category":"cost"},5,null,{"category":"cost","title":" "},{"category":"cost","title":"\ud800"}]}""")]
    public async Task An_absurd_answer_is_502_and_nothing_is_stored(string answer)
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        world.Upstream.Reply(Script.Text(answer));
        var refused = await world.Server.Client.SuggestAsync(agent, new { }).ShouldBeError(502, "UPSTREAM_ERROR");
        refused.Text("detail").ShouldContain("OUTPUT_SCHEMA_MISMATCH");
        (await world.Server.Client.SuggestionsAsync(agent, "?includeDismissed=true")).ShouldBeEmpty();
        await ShouldBeTracedAsync(world, agent, "OUTPUT_SCHEMA_MISMATCH", tokens: 10);
    }

    [Fact]
    public async Task Of_a_strange_answer_the_sound_parts_are_stored()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.Claude });
        await world.Server.Client.SuggestAsync(agent, new { title = "Known" }).ShouldBe(201);
        var proposals = new object[]
        {
            new { category = "PROMPT", severity = "urgent", title = "  " + new string('t', 400), detail = new string('d', 6_000), patch = "no json" },
            new { category = "style", severity = "low", title = "Unknown category" },
            new { category = "tools", severity = "low", title = "KNOWN" },
            new { category = "tools", title = "Filtered", patch = new { credentials = new { resolverUrl = "https://evil.example.com" }, web = new { maxPages = 2 }, agent = new { }, memory = true } },
            new { category = "tools", title = "filtered" },
            new { category = "safety", title = "Only what is not allowed", patch = """{"delegated":{"endpointUrl":"https://evil.example.com"}}""" },
            new { category = "model", title = "Half a character", patch = """{"agent":{"name":"\ud800"}}""" },
            new { category = "cost", title = "Zero\0byte", detail = 7, patch = """{"web":{"maxPages":1},"web":{"maxPages":2}}""" },
            new { category = "knowledge", title = "Too deep", patch = """{"web":{"a":""" + new string('[', 50) + new string(']', 50) + "}}" },
            new { category = "knowledge", title = "Too large", patch = JsonSerializer.Serialize(new { web = new { a = new string('x', 20_000) } }) },
            new { category = "knowledge", title = "One too many" },
        };
        world.Upstream.Reply(Script.Text("Here you are:\n```json\n", JsonSerializer.Serialize(new { suggestions = proposals }), "\n```"));
        var rows = (await world.Server.Client.SuggestAsync(agent, new { maxCount = 7 }).ShouldBe(201)).EnumerateArray().ToList();
        rows.Select(s => s.Text("title")).ShouldBe([new string('t', 300), "Filtered", "Only what is not allowed", "Half a character", "Zero\uFFFDbyte", "Too deep", "Too large"]);
        (rows[0].Text("category"), rows[0].Text("severity"), rows[0].Text("detail").Length).ShouldBe(("prompt", "medium", 5_000));
        rows[1].GetProperty("patch").GetRawText().ShouldBe("""{"web":{"maxPages":2}}""");
        rows.Where((_, i) => i != 1).ShouldAllBe(s => s.GetProperty("patch").ValueKind == JsonValueKind.Null);
        (await world.Server.Client.SuggestionsAsync(agent)).Count.ShouldBe(8);
    }

    [Theory]
    [InlineData(401, "MODEL_AUTH_FAILED")]
    [InlineData(400, "MODEL_ERROR")]
    public async Task A_provider_that_refuses_is_502(int status, string code)
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        world.Upstream.OtherwiseReply(Script.Status(status, """{"error":{"message":"sk-test is a secret"}}"""));
        var refused = await world.Server.Client.SuggestAsync(agent, new { }).ShouldBeError(502, "UPSTREAM_ERROR");
        refused.Text("detail").ShouldContain(code);
        refused.GetRawText().ShouldNotContain("sk-test");
        (await world.Server.Client.SuggestionsAsync(agent)).ShouldBeEmpty();
        await ShouldBeTracedAsync(world, agent, code, tokens: 0);
    }

    [Fact]
    public async Task A_model_that_says_nothing_is_given_up()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        world.Upstream.OtherwiseReply(Script.Silence());
        var armed = world.Server.Time.ArmedAsync(TimeSpan.FromSeconds(119), TimeSpan.FromSeconds(120), isNew: true);
        var answer = world.Server.Client.SuggestAsync(agent, new { });
        await armed;
        world.Server.Time.Advance(TimeSpan.FromSeconds(121));
        await answer.ShouldBeError(502, "UPSTREAM_ERROR");
        (await world.Server.Client.SuggestionsAsync(agent)).ShouldBeEmpty();
        await ShouldBeTracedAsync(world, agent, "MODEL_UNAVAILABLE", tokens: 0);
    }

    [Fact]
    public async Task One_review_of_an_agent_runs_at_a_time()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        var go = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        world.Upstream.Reply(Script.Text("""{"suggestions":[{"category":"cost","severity":"low","title":"T","detail":"D","patch":""}]}""").Paced(() =>
        {
            reached.TrySetResult();
            return go.Task;
        }));
        var first = world.Server.Client.SuggestAsync(agent, new { });
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await world.Server.Client.SuggestAsync(agent, new { }).ShouldBeError(409, "CONFLICT");
        // One's own suggestions have nothing to do with it.
        await world.Server.Client.SuggestAsync(agent, new { title = "Mine" }).ShouldBe(201);
        go.SetResult();
        await first.ShouldBe(201);
        world.Upstream.OtherwiseReply(Script.Text("""{"suggestions":[]}"""));
        await world.Server.Client.SuggestAsync(agent, new { }).ShouldBe(201);
    }

    [Fact]
    public async Task An_agent_deleted_meanwhile_keeps_no_suggestion()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        var reached = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        world.Upstream.Reply(Script.Text("""{"suggestions":[{"category":"cost","severity":"low","title":"T","detail":"D","patch":""}]}""").Paced(() =>
        {
            reached.TrySetResult();
            return go.Task;
        }));
        var review = world.Server.Client.SuggestAsync(agent, new { });
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await world.Server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        go.SetResult();
        await review.ShouldBeError(404, "NOT_FOUND");
        await ShouldBeTracedAsync(world, agent, null, tokens: 10);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_review()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        world.Upstream.Reply(Script.Silence());
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var review = world.Server.Client.PostAsync($"/api/agents/{agent}/suggestions", JsonText.Content("{}"), leaving.Token);
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), "the model is asked", () => Task.FromResult(world.Upstream.Requests.Count == 1));
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(review);
        await world.Upstream.Left.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), "the call is traced", async () => (await world.GetAsync($"/api/logs?agent_id={agent}")).GetProperty("traces").GetArrayLength() == 1);
        await ShouldBeTracedAsync(world, agent, "CANCELLED", tokens: 0);
        // Nobody waits any more, so the next one may begin.
        world.Upstream.OtherwiseReply(Script.Text("""{"suggestions":[]}"""));
        await world.Server.Client.SuggestAsync(agent, new { }).ShouldBe(201);
    }

    [Fact]
    public async Task A_review_counts_as_a_message()
    {
        await using var world = await TurnWorld.StartAsync(settings => settings["Limits:MessagesPerMinute"] = "1");
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        world.Upstream.OtherwiseReply(Script.Text("""{"suggestions":[]}"""));
        await world.Server.Client.SuggestAsync(agent, new { }).ShouldBe(201);
        await world.Server.Client.SuggestAsync(agent, new { }).ShouldBeError(429, "RATE_LIMITED");
        await world.Server.Client.SuggestAsync(agent, new { title = "Mine" }).ShouldBe(201);
    }

    private static async Task ShouldBeTracedAsync(TurnWorld world, Guid agent, string? error, long tokens)
    {
        var trace = (await world.GetAsync($"/api/logs?agent_id={agent}")).GetProperty("traces").EnumerateArray().Single();
        (trace.Text("name"), trace.Text("status"), trace.GetProperty("total_input_tokens").GetInt64()).ShouldBe(("agent-review", error is null ? "ok" : "error", tokens));
        var spans = (await world.GetAsync($"/api/logs/{trace.Text("id")}")).GetProperty("spans").EnumerateArray();
        spans.ShouldAllBe(s => s.GetProperty("error").GetString() == error);
    }
}
