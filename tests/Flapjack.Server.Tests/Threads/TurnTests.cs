using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads;

/// <summary>A message and its answer: text, usage, prompt, history.</summary>
public sealed class TurnTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plain_turn_is_meta_tokens_done()
    {
        var thread = await world.OpenAsync();
        await using var stream = await world.SendAsync(thread, new { content = "/echo one two three" });
        stream.Response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream; charset=utf-8");
        stream.Response.Headers.NonValidated["Cache-Control"].ToString().ShouldBe("no-cache, no-transform");
        stream.Response.Header("X-Accel-Buffering").ShouldBe("no");
        var done = (await stream.EndAsync()).Data;
        var meta = stream.Seen[0].Data;
        meta.EnumerateObject().Select(p => p.Name).ShouldBe(["startedAt", "turnId", "threadId", "userMessageId", "model"]);
        meta.GetProperty("threadId").GetGuid().ShouldBe(thread);
        meta.Text("model").ShouldBe("flapjack-offline");
        meta.Text("startedAt").ShouldEndWith("Z");
        stream.Seen.Count.ShouldBe(5);
        done.Text("content").ShouldBe("one two three");
        stream.Seen.Deltas().ShouldBe("one two three");
        done.EnumerateObject().Select(p => p.Name).ShouldBe(["ok", "messageId", "content", "usage", "turnId", "finishReason"]);
        done.Text("finishReason").ShouldBe("stop");
        done.GetProperty("usage").EnumerateObject().Select(p => p.Name).ShouldBe(["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd"]);
        done.GetProperty("usage").GetProperty("cost_usd").GetDecimal().ShouldBe(0);

        var messages = await world.MessagesAsync(thread);
        messages.Count.ShouldBe(2);
        var (user, answer) = (messages[0], messages[1]);
        string[] fields = ["id", "role", "content", "sender_name", "created_at", "sender_id", "attachments", "stopped", "error", "model", "turn_id", "usage"];
        foreach (var message in messages) message.EnumerateObject().Select(p => p.Name).ShouldBe(fields, ignoreOrder: true);
        (user.Text("id"), user.Text("role"), user.Text("content")).ShouldBe((meta.Text("userMessageId"), "user", "/echo one two three"));
        user.GetProperty("usage").ValueKind.ShouldBe(JsonValueKind.Null);
        (answer.Text("id"), answer.Text("role"), answer.Text("content"), answer.Text("model")).ShouldBe((done.Text("messageId"), "assistant", "one two three", "flapjack-offline"));
        answer.GetProperty("stopped").GetBoolean().ShouldBeFalse();
        answer.GetProperty("usage").ToString().ShouldBe(done.GetProperty("usage").ToString());
        answer.Text("turn_id").ShouldBe(meta.Text("turnId"));
        (await world.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Usage_and_cost_are_sums_over_the_model_calls()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(
            Script.ToolCalls(new ScriptedCall("call_a", "echo", "{}")).After("Let me see.").WithUsage(new(1000, 100, CacheRead: 400)),
            Script.Text("All ", "fine.").WithUsage(new(2000, 200, CacheRead: 600)));
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        var done = (await stream.EndAsync()).Data;
        done.Text("content").ShouldBe("Let me see.\n\nAll fine.");
        stream.Seen.Of("token").Select(t => t.Text("delta")).ShouldBe(["Let me see.", "\n\n", "All ", "fine."]);
        var usage = done.GetProperty("usage");
        usage.GetProperty("input_tokens").GetInt64().ShouldBe(3000);
        usage.GetProperty("output_tokens").GetInt64().ShouldBe(300);
        usage.GetProperty("cache_read_tokens").GetInt64().ShouldBe(1000);
        // 2,000 uncached at 2.50, 1,000 cached at a tenth, 300 out at 15 US dollars per million.
        usage.GetProperty("cost_usd").GetDecimal().ShouldBe(0.00975m);
        (await world.MessagesAsync(thread))[1].GetProperty("usage").ToString().ShouldBe(usage.ToString());

        var trace = await world.TraceAsync(thread);
        var head = trace.GetProperty("trace");
        head.GetProperty("total_input_tokens").GetInt64().ShouldBe(3000);
        head.GetProperty("total_cost_usd").GetDecimal().ShouldBe(0.00975m);
        head.Text("session_id").ShouldBe($"sess_{thread}");
        head.Text("status").ShouldBe("ok");
        trace.GetProperty("spans").EnumerateArray().Select(s => s.Text("kind")).ShouldBe(["agent", "llm", "tool", "llm"], ignoreOrder: true);
        var root = trace.GetProperty("spans")[0].Text("id");
        trace.GetProperty("spans").EnumerateArray().Skip(1).ShouldAllBe(s => s.Text("parent_span_id") == root);
    }

    [Fact]
    public async Task The_prompt_has_its_parts_in_order_and_the_message_overlay_is_not_stored()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI,
            new { stablePreamble = "PREAMBLE", toolProfiles = new { a = new { tools = Array.Empty<string>(), systemPromptOverlay = "PROFILE-A" }, b = new { tools = Array.Empty<string>(), system_prompt_overlay = "PROFILE-B" } }, defaultProfile = "a" },
            new { systemPromptOverlay = "THREAD", resourceBindings = new[] { new { type = "customer", id = "BINDING" } } });
        await using (var first = await world.SendAsync(thread, new { content = "QUESTION", systemPromptOverlay = new[] { "MESSAGE-1", "MESSAGE-2" } })) await first.EndAsync();
        var body = world.Upstream.LastRequest.Body.ToString();
        InOrder(body, "PREAMBLE", "PROFILE-A", "THREAD", "MESSAGE-1", "MESSAGE-2", "BINDING", "QUESTION");
        body.ShouldNotContain("PROFILE-B");
        await using (var second = await world.SendAsync(thread, new { content = "AGAIN", toolProfile = "b", resourceBindings = new[] { new { type = "order", id = "OTHER" } } })) await second.EndAsync();
        body = world.Upstream.LastRequest.Body.ToString();
        InOrder(body, "PREAMBLE", "PROFILE-B", "THREAD", "OTHER", "QUESTION", "AGAIN");
        foreach (var gone in (string[])["PROFILE-A", "MESSAGE-1", "BINDING"]) body.ShouldNotContain(gone);
        await world.PatchAsync($"/api/threads/{thread}", new { activeProfile = "b" }).ShouldBe(200);
        await using (var third = await world.SendAsync(thread, new { content = "THIRD" })) await third.EndAsync();
        InOrder(world.Upstream.LastRequest.Body.ToString(), "PREAMBLE", "PROFILE-B", "THREAD", "BINDING", "QUESTION", "AGAIN", "THIRD");
        (await world.ThreadAsync(thread)).Text("system_prompt_overlay").ShouldBe("THREAD");
    }

    [Fact]
    public async Task Settings_of_the_agent_and_the_overrides_reach_the_provider()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI, new { maxOutputTokens = 77 });
        await using (var stream = await world.SendAsync(thread, new { content = "hi" })) await stream.EndAsync();
        var body = world.Upstream.LastRequest.Body;
        body.Text("model").ShouldBe("gpt-5.4");
        body.GetProperty("max_output_tokens").GetInt32().ShouldBe(77);
        body.Text("prompt_cache_key").ShouldBe(thread.ToString());
        body.Text("safety_identifier").ShouldBe((await world.ThreadAsync(thread)).Text("org_id"));
        await using (var stream = await world.SendAsync(thread, new { content = "hi", openaiOverrides = new { promptCacheKey = "k", safetyIdentifier = "s" } })) await stream.EndAsync();
        (world.Upstream.LastRequest.Body.Text("prompt_cache_key"), world.Upstream.LastRequest.Body.Text("safety_identifier")).ShouldBe(("k", "s"));
        await using (var stream = await world.SendAsync(thread, new { content = "hi", openaiOverrides = new { disabled = true } })) await stream.EndAsync();
        world.Upstream.LastRequest.Body.TryGetProperty("prompt_cache_key", out _).ShouldBeFalse();
        await using (var stream = await world.SendAsync(thread, new { content = "hi", modelOverride = TurnWorld.Claude, anthropicOverrides = new { thinking = new { enabled = true, budgetTokens = 2048 }, cache = new { ttl = "1h" } } }))
        {
            (await stream.EndAsync()).Event.ShouldBe("done");
            stream.Seen[0].Data.Text("model").ShouldBe(TurnWorld.Claude);
        }
        world.Upstream.LastRequest.Body.GetProperty("thinking").GetRawText().ShouldBe("""{"type":"enabled","budget_tokens":2048}""");
        world.Upstream.LastRequest.Body.ToString().ShouldContain("\"ttl\":\"1h\"");
        (await world.MessagesAsync(thread))[^1].Text("model").ShouldBe(TurnWorld.Claude);
    }

    [Fact]
    public async Task A_fallback_model_answers_when_the_first_is_refused()
    {
        var thread = await world.OpenAsync(TurnWorld.Claude);
        world.Upstream.Reply(Script.Status(404, """{"type":"error","error":{"type":"not_found_error","message":"no model"}}"""), Script.Text("from the fallback"));
        await using var stream = await world.SendAsync(thread, new { content = "hi", anthropicOverrides = new { fallbackModels = new[] { "claude-haiku-4-5" } } });
        (await stream.EndAsync()).Data.Text("content").ShouldBe("from the fallback");
        var fallback = stream.Seen.Of("client_event").Single();
        fallback.Text("kind").ShouldBe("model_fallback");
        fallback.GetProperty("payload").GetRawText().ShouldBe($$"""{"from":"{{TurnWorld.Claude}}","to":"claude-haiku-4-5","status":404}""");
        (await world.MessagesAsync(thread))[^1].Text("model").ShouldBe("claude-haiku-4-5");
    }

    public static TheoryData<string, int, string, string?> Faults => new()
    {
        { "{}", 422, "VALIDATION_ERROR", "content" },
        { """{"content":" \n\t "}""", 422, "VALIDATION_ERROR", "content" },
        { """{"content":null}""", 422, "VALIDATION_ERROR", "content" },
        { """{"content":"","toolResults":[],"attachments":[]}""", 422, "VALIDATION_ERROR", "content" },
        { """{"content":5}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","modelOverride":"no-such-model"}""", 422, "VALIDATION_ERROR", "modelOverride" },
        { """{"content":"x","toolProfile":"nope"}""", 422, "VALIDATION_ERROR", "toolProfile" },
        { """{"content":"x","onBusy":"wait"}""", 422, "VALIDATION_ERROR", "onBusy" },
        { """{"content":"x","onDisconnect":"stay"}""", 422, "VALIDATION_ERROR", "onDisconnect" },
        { """{"content":"x","stream":"no"}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","metadata":[]}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","systemPromptOverlay":5}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","resourceBindings":[{"id":"1"}]}""", 422, "VALIDATION_ERROR", "resourceBindings[0].type" },
        { """{"content":"x","anthropicOverrides":[]}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","anthropicOverrides":{"thinking":{"enabled":true,"budgetTokens":100}}}""", 422, "VALIDATION_ERROR", "anthropicOverrides.thinking.budgetTokens" },
        { """{"content":"x","anthropicOverrides":{"cache":{"ttl":"2h"}}}""", 422, "VALIDATION_ERROR", "anthropicOverrides.cache.ttl" },
        { """{"content":"x","anthropicOverrides":{"fallbackModels":["no-such-model"]}}""", 422, "VALIDATION_ERROR", "anthropicOverrides.fallbackModels[0]" },
        { """{"content":"x","anthropicOverrides":{"fallbackModels":[null]}}""", 422, "VALIDATION_ERROR", "anthropicOverrides.fallbackModels[0]" },
        { """{"content":"x","openaiOverrides":{"disabled":"yes"}}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","webOverrides":[]}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","webOverrides":{"enabled":"yes"}}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","memoryOverrides":7}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","computerOverrides":"on"}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","planOverrides":{"mode":"maybe"}}""", 422, "VALIDATION_ERROR", "planOverrides.mode" },
        { """{"content":"x","planOverrides":{"mode":true}}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","tools":{}}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","tools":[null]}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","tools":[{}]}""", 422, "VALIDATION_ERROR", "tools[0].name" },
        { """{"content":"x","tools":[{"name":"a b"}]}""", 422, "VALIDATION_ERROR", "tools[0].name" },
        { """{"content":"x","tools":[{"name":"a__b"}]}""", 422, "VALIDATION_ERROR", "tools[0].name" },
        { """{"content":"x","tools":[{"name":"a"},{"name":"a"}]}""", 422, "VALIDATION_ERROR", "tools[1].name" },
        { """{"content":"x","tools":[{"name":"pick"},{"name":"echo"}]}""", 422, "VALIDATION_ERROR", "tools[1].name" },
        { """{"content":"x","tools":[{"name":"a","parameters":[]}]}""", 400, "INVALID_REQUEST", null },
        { """{"toolResults":[{"toolCallId":"call_1","result":"x"}]}""", 422, "VALIDATION_ERROR", "toolResults" },
        { """{"toolResults":[{"result":"x"}]}""", 422, "VALIDATION_ERROR", "toolResults[0].toolCallId" },
        { """{"toolResults":[{"toolCallId":"call_1"}]}""", 422, "VALIDATION_ERROR", "toolResults[0].result" },
        { """{"toolResults":{}}""", 400, "INVALID_REQUEST", null },
        { """{"content":"x","attachments":{}}""", 400, "INVALID_REQUEST", null },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Faults_are_ordinary_errors_and_leave_no_trace(string body, int status, string code, string? field)
    {
        var thread = await world.OpenAsync();
        await world.PostAsync($"/api/threads/{thread}/messages", body).ShouldBeError(status, code, field);
        (await world.MessagesAsync(thread)).ShouldBeEmpty();
        (await world.Server.AskAsync(thread, "/echo free"))[^1].Event.ShouldBe("done");
    }

    [Fact]
    public async Task Lengths_at_and_over_the_limit()
    {
        var thread = await world.OpenAsync();
        (await world.Server.AskAsync(thread, "/echo " + new string('x', 399_994)))[^1].Event.ShouldBe("done");
        async Task Refused(object body, string field) => await world.PostAsync($"/api/threads/{thread}/messages", body).ShouldBeError(422, "VALIDATION_ERROR", field);
        await Refused(new { content = new string('x', 400_001) }, "content");
        await Refused(new { content = "x", senderName = new string('x', 201) }, "senderName");
        await Refused(new { content = "x", senderId = new string('x', 256) }, "senderId");
        await Refused(new { content = "x", systemPromptOverlay = new string('x', 50_001) }, "systemPromptOverlay");
        await Refused(new { content = "x", metadata = new { a = new string('x', 17_000) } }, "metadata");
        await Refused(new { content = "x", tools = Enumerable.Range(0, 65).Select(i => new { name = $"t{i}" }) }, "tools");
        await Refused(new { content = "x", tools = new[] { new { name = "t", description = new string('x', 4_001) } } }, "tools[0].description");
        await Refused(new { content = "x", tools = new[] { new { name = "t", parameters = new { x = new string('x', 70_000) } } } }, "tools[0].parameters");
    }

    [Fact]
    public async Task The_operator_can_forbid_overrides()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Turns:AllowOverrides"] = "false");
        var thread = await own.OpenAsync();
        foreach (var name in (string[])["webOverrides", "memoryOverrides", "computerOverrides", "planOverrides"])
        {
            await own.PostAsync($"/api/threads/{thread}/messages", $$$"""{"content":"x","{{{name}}}":{"enabled":true}}""").ShouldBeError(403, "FEATURE_DISABLED");
        }
        (await own.Server.AskAsync(thread, "/echo fine", new { webOverrides = (object?)null, openaiOverrides = new { disabled = true } }))[^1].Event.ShouldBe("done");
    }

    [Fact]
    public async Task Messages_are_paged_in_both_orders()
    {
        var thread = await world.OpenAsync();
        for (var i = 1; i <= 3; i++) await world.Server.AskAsync(thread, $"/echo {i}");
        async Task<string[]> Contents(string query) => [.. (await world.MessagesAsync(thread, query)).Select(m => m.Text("content"))];
        (await Contents("")).ShouldBe(["/echo 1", "1", "/echo 2", "2", "/echo 3", "3"]);
        (await Contents("?order=desc&limit=2")).ShouldBe(["3", "/echo 3"]);
        (await Contents("?limit=2&offset=3")).ShouldBe(["2", "/echo 3"]);
        (await Contents("?offset=6")).ShouldBeEmpty();
        (await Contents("?limit=999")).Length.ShouldBe(6);
        (await world.GetAsync($"/api/threads/{thread}/messages?limit=1&offset=4")).GetProperty("total").GetInt32().ShouldBe(6);
        foreach (var (query, status, code) in ((string, int, string)[])[("limit=0", 422, "VALIDATION_ERROR"), ("offset=-1", 422, "VALIDATION_ERROR"), ("limit=a", 400, "INVALID_REQUEST"), ("order=up", 422, "VALIDATION_ERROR")])
        {
            await world.Server.Client.GetAsync($"/api/threads/{thread}/messages?{query}", Token).ShouldBeError(status, code);
        }
    }

    [Fact]
    public async Task Sources_are_empty_for_answers_and_404_for_the_rest()
    {
        var thread = await world.OpenAsync();
        await world.Server.AskAsync(thread, "/echo hi");
        var messages = await world.MessagesAsync(thread);
        (await world.GetAsync($"/api/threads/{thread}/messages/{messages[1].Text("id")}/sources")).GetRawText().ShouldBe($$"""{"message_id":"{{messages[1].Text("id")}}","sources":[]}""");
        await world.Server.Client.GetAsync($"/api/threads/{thread}/messages/{messages[0].Text("id")}/sources", Token).ShouldBeError(404, "NOT_FOUND");
        await world.Server.Client.GetAsync($"/api/threads/{thread}/messages/{Guid.CreateVersion7()}/sources", Token).ShouldBeError(404, "NOT_FOUND");
        var other = await world.OpenAsync();
        await world.Server.Client.GetAsync($"/api/threads/{other}/messages/{messages[1].Text("id")}/sources", Token).ShouldBeError(404, "NOT_FOUND");
    }

    public static TheoryData<int, string> Statuses => new()
    {
        { 401, "MODEL_AUTH_FAILED" }, { 403, "MODEL_AUTH_FAILED" }, { 400, "MODEL_ERROR" }, { 404, "MODEL_ERROR" },
    };

    [Theory]
    [MemberData(nameof(Statuses))]
    public async Task A_failed_model_ends_with_an_error_that_is_stored_and_the_thread_goes_on(int status, string code)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Status(status, """{"error":{"message":"no","type":"x"}}"""));
        await using var stream = await world.SendAsync(thread, new { content = "QUESTION" });
        var end = await stream.EndAsync();
        end.Event.ShouldBe("error");
        end.Data.Text("code").ShouldBe(code);
        end.Data.GetProperty("usage").GetProperty("output_tokens").GetInt64().ShouldBe(0);
        var stored = (await world.MessagesAsync(thread))[1];
        (stored.Text("role"), stored.Text("content"), stored.Text("error")).ShouldBe(("assistant", "", code));
        (await world.TraceAsync(thread)).GetProperty("trace").Text("status").ShouldBe("error");
        world.Upstream.Reply(Script.Text("better"));
        await using var next = await world.SendAsync(thread, new { content = "AGAIN" });
        (await next.EndAsync()).Data.Text("content").ShouldBe("better");
        InOrder(world.Upstream.LastRequest.Body.GetProperty("input").ToString(), "QUESTION", "AGAIN");
    }

    [Fact]
    public async Task A_stream_that_breaks_off_is_an_error_with_the_text_so_far()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("Half ", "an ", "answer").CutAfter(2));
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        (await stream.EndAsync()).Data.Text("code").ShouldBe("MODEL_UNAVAILABLE");
        stream.Seen.Deltas().ShouldBe("Half an ");
        var stored = (await world.MessagesAsync(thread))[1];
        (stored.Text("content"), stored.Text("error")).ShouldBe(("Half an ", "MODEL_UNAVAILABLE"));
        await using var next = await world.SendAsync(thread, new { content = "more" });
        (await next.EndAsync()).Event.ShouldBe("done");
        InOrder(world.Upstream.LastRequest.Body.GetProperty("input").ToString(), "go", "Half an ", "more");
    }

    [Theory]
    [InlineData("length")]
    [InlineData("filter")]
    public async Task A_model_that_is_cut_or_filtered_says_so(string kind)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(kind == "length" ? Script.Text("cut").EndedByLength() : Script.Text("bad").Filtered());
        await using var stream = await world.SendAsync(thread, new { content = "go" });
        var end = await stream.EndAsync();
        if (kind == "length") end.Data.Text("finishReason").ShouldBe("length");
        else end.Data.Text("code").ShouldBe("CONTENT_FILTERED");
    }

    [Fact]
    public async Task Metadata_tags_and_session_reach_the_trace()
    {
        var thread = await world.OpenAsync(thread: new { userId = "u-9", metadata = new { tags = new[] { "vip" } } });
        await world.Server.AskAsync(thread, "/echo hi", new { metadata = new { sessionId = "s-1", tags = new[] { "a", "vip" }, other = 1 } });
        var trace = (await world.TraceAsync(thread)).GetProperty("trace");
        trace.Text("session_id").ShouldBe("s-1");
        trace.Text("user_id").ShouldBe("u-9");
        trace.GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["a", "vip", "source:api"]);
        trace.GetProperty("metadata").GetProperty("other").GetInt32().ShouldBe(1);
        trace.GetProperty("agent_id").GetGuid().ShouldBe((await world.ThreadAsync(thread)).GetProperty("agent_id").GetGuid());
    }

    private static void InOrder(string text, params string[] parts)
    {
        var at = -1;
        foreach (var part in parts)
        {
            var next = text.IndexOf(part, at + 1, StringComparison.Ordinal);
            next.ShouldBeGreaterThan(at, $"'{part}' is missing or out of order in: {text}");
            at = next;
        }
    }
}
