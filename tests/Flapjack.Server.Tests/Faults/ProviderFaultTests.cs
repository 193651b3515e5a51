using System.Text.Json;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Faults;

/// <summary>What a client and the stored thread see when a provider fails, for each protocol, through <c>POST …/messages</c>.</summary>
public sealed class ProviderFaultTests : IClassFixture<FaultWorld>
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(120);
    private readonly FaultWorld _world;

    public ProviderFaultTests(FaultWorld world)
    {
        _world = world;
        world.Upstream.Forget();
    }

    public static TheoryData<Protocol> EachProtocol => [Protocol.Responses, Protocol.ChatCompletions, Protocol.Messages];

    public static TheoryData<Protocol, int, string, string> Refusals => ForEach(
        (401, """{"error":{"message":"bad key","type":"authentication_error"}}""", "MODEL_AUTH_FAILED"),
        (403, "{}", "MODEL_AUTH_FAILED"),
        (400, """{"error":{"message":"no such parameter","type":"invalid_request_error"}}""", "MODEL_ERROR"),
        (404, "<html>not here</html>", "MODEL_ERROR"),
        (400, """{"error":{"message":"prompt is too long: 210000 tokens","type":"invalid_request_error","code":"context_length_exceeded"}}""", "CONTEXT_TOO_LONG"),
        (400, """{"error":{"message":"blocked by content filtering policy","code":"content_filter"}}""", "CONTENT_FILTERED"));

    public static TheoryData<Protocol, int, string, string> Outages => ForEach(
        (429, "{}", "MODEL_RATE_LIMITED"), (408, "", "MODEL_UNAVAILABLE"), (409, "", "MODEL_UNAVAILABLE"), (500, "oops", "MODEL_UNAVAILABLE"),
        (503, "", "MODEL_UNAVAILABLE"), (529, """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""", "MODEL_UNAVAILABLE"));

    [Theory, MemberData(nameof(Refusals))]
    public async Task A_refusal_ends_the_turn_at_once_with_its_code(Protocol protocol, int status, string body, string code)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Status(status, body));
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "hello"), thread, code, "");
        _world.Upstream.Requests.Count.ShouldBe(1);
        await _world.ShouldGoOnAsync(thread, protocol, "hello");
    }

    [Theory, MemberData(nameof(Outages))]
    public async Task An_outage_is_tried_three_times_and_then_ends_the_turn(Protocol protocol, int status, string body, string code)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Status(status, body), Script.Status(status, body), Script.Status(status, body));
        var (events, waits) = await _world.AskThroughRetriesAsync(thread);
        await ShouldFailAsync(events, thread, code, "");
        _world.Upstream.Requests.Count.ShouldBe(3);
        waits.Count.ShouldBe(2);
        waits[0].TotalSeconds.ShouldBeInRange(1, 1.1);
        waits[1].TotalSeconds.ShouldBeInRange(2, 2.2);
        await _world.ShouldGoOnAsync(thread, protocol, "hello");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Retry_After_is_honoured_and_the_retry_answers(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Status(429).WithHeader("Retry-After", "7"), Script.Text("here", " again"));
        var (events, waits) = await _world.AskThroughRetriesAsync(thread);
        waits.ShouldBe([TimeSpan.FromSeconds(7)]);
        events.Select(e => e.Event).ShouldBe(["meta", "token", "token", "done"]);
        events[^1].Data.GetProperty("content").GetString().ShouldBe("here again");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_provider_that_asks_for_minutes_is_not_waited_for(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Status(429).WithHeader("Retry-After", "300"));
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "hello"), thread, "MODEL_RATE_LIMITED", "");
        _world.Upstream.Requests.Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_refused_connection_is_MODEL_UNAVAILABLE_after_three_attempts(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol, $"dead-{protocol.ToString().ToLowerInvariant()}/some-model");
        var (events, waits) = await _world.AskThroughRetriesAsync(thread);
        await ShouldFailAsync(events, thread, "MODEL_UNAVAILABLE", "");
        waits.Count.ShouldBe(2);
        events[^1].Data.ToString().ShouldNotContain("127.0.0.1");
        (await _world.Server.AskAsync(thread, "on", new { modelOverride = FaultWorld.ModelOf(protocol) }))[^1].Event.ShouldBe("done");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_stream_that_breaks_before_any_text_is_tried_again(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("a", "b").CutAfter(0), Script.Text("a", "b").CutAfter(0), Script.Text("whole"));
        var (events, waits) = await _world.AskThroughRetriesAsync(thread);
        events.Select(e => e.Event).ShouldBe(["meta", "token", "done"]);
        waits.Count.ShouldBe(2);
        _world.Upstream.Reply(Script.Text("a").CutAfter(0), Script.Text("a").CutAfter(0), Script.Text("a").CutAfter(0));
        (events, _) = await _world.AskThroughRetriesAsync(thread, "once more");
        await ShouldFailAsync(events, thread, "MODEL_UNAVAILABLE", "");
        await _world.ShouldGoOnAsync(thread, protocol, "hello", "whole", "once more");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_stream_that_breaks_after_text_is_never_done_and_its_text_is_kept(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        // Both pieces and all but the end marker: only the marker makes an answer whole.
        _world.Upstream.Reply(Script.Text("half", " of it").CutAfter(2));
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "hello"), thread, "MODEL_UNAVAILABLE", "half of it");
        // A broken connection takes along what was still on its way, so it breaks when the first piece has arrived.
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pieces = 0;
        _world.Upstream.Reply(Script.Text("quarter", " of it").AbortAfter(1).Paced(() => pieces++ == 0 ? Task.CompletedTask : arrived.Task));
        using var response = await _world.Server.PostMessageAsync(thread, "hello again");
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerFixture.ReadEventsAsync(response))
        {
            events.Add(@event);
            if (@event.Event == "token") arrived.TrySetResult();
        }
        await ShouldFailAsync(events, thread, "MODEL_UNAVAILABLE", "quarter");
        _world.Upstream.Requests.Count.ShouldBe(2);
        await _world.ShouldGoOnAsync(thread, protocol, "hello", "half of it", "hello again", "quarter");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_call_that_breaks_off_is_never_made(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "pay", """{"amount":100}""")).After("Paying.").CutAfter(1));
        var events = await _world.Server.AskAsync(thread, "pay", new { tools = new[] { new { name = "pay", description = "pays", parameters = new { type = "object" } } } });
        await ShouldFailAsync(events, thread, "MODEL_UNAVAILABLE", "Paying.");
        events.ShouldNotContain(e => e.Event == "requires_action" || e.Event == "tool_call");
        await _world.ShouldGoOnAsync(thread, protocol, "Paying.");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_malformed_stream_is_MODEL_ERROR_and_not_repeated(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("a", "b").MalformedAfter(0), Script.Text("some", " text").MalformedAfter(1), Script.NoEventStream());
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "one"), thread, "MODEL_ERROR", "");
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "two"), thread, "MODEL_ERROR", "some");
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "three"), thread, "MODEL_ERROR", "");
        _world.Upstream.Requests.Count.ShouldBe(3);
        await _world.ShouldGoOnAsync(thread, protocol, "one", "two", "some", "three");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Silence_before_any_text_is_tried_again_and_then_MODEL_UNAVAILABLE(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Silence(), Script.Silence(), Script.Silence());
        var asking = _world.Server.AskAsync(thread, "hello");
        // The provider's patience and the waits between attempts pass as soon as they begin.
        while (!asking.IsCompleted)
        {
            var armed = _world.Time.ArmedAsync(TimeSpan.FromSeconds(1), Idle);
            if (await Task.WhenAny(armed, asking) == armed) _world.Time.Advance(await armed);
        }
        await ShouldFailAsync(await asking, thread, "MODEL_UNAVAILABLE", "");
        await _world.ShouldGoOnAsync(thread, protocol, "hello");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Silence_after_text_ends_the_turn_and_keeps_the_text(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("I was", " saying").SilentAfter(1));
        using var response = await _world.Server.PostMessageAsync(thread, "hello");
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerFixture.ReadEventsAsync(response))
        {
            events.Add(@event);
            if (@event.Event != "token") continue;
            _world.Time.Advance(Idle - TimeSpan.FromSeconds(1));
            events.Count.ShouldBe(2);
            _world.Time.Advance(TimeSpan.FromSeconds(1) + Idle);
        }
        await ShouldFailAsync(events, thread, "MODEL_UNAVAILABLE", "I was");
        await _world.ShouldGoOnAsync(thread, protocol, "I was");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_socket_left_open_after_the_end_marker_is_not_waited_for(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("all", " said").LeaveOpenAfterMarker());
        var asking = _world.Server.AskAsync(thread, "hello");
        // Chat Completions may send the usage after its marker, which is given one second.
        if (protocol == Protocol.ChatCompletions) _world.Time.Advance(await _world.Time.ArmedAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        var events = await asking;
        events.Select(e => e.Event).ShouldBe(["meta", "token", "token", "done"]);
        events[^1].Data.GetProperty("content").GetString().ShouldBe("all said");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task An_answer_the_provider_filters_is_CONTENT_FILTERED_and_its_text_is_kept(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("First you").Filtered());
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "hello"), thread, "CONTENT_FILTERED", "First you");
        await _world.ShouldGoOnAsync(thread, protocol, "hello");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task The_models_own_limit_is_done_with_length(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("too long").EndedByLength());
        var events = await _world.Server.AskAsync(thread, "hello");
        (events[^1].Event, events[^1].Data.GetProperty("finishReason").GetString()).ShouldBe(("done", "length"));
    }

    [Theory]
    [InlineData(Protocol.Responses, "server_error", "MODEL_UNAVAILABLE")]
    [InlineData(Protocol.ChatCompletions, "server_error", "MODEL_UNAVAILABLE")]
    [InlineData(Protocol.Messages, "overloaded_error", "MODEL_UNAVAILABLE")]
    [InlineData(Protocol.Messages, "rate_limit_error", "MODEL_RATE_LIMITED")]
    [InlineData(Protocol.Responses, "context_length_exceeded", "CONTEXT_TOO_LONG")]
    public async Task An_error_event_after_text_ends_the_turn_with_its_code(Protocol protocol, string type, string code)
    {
        var thread = await _world.ThreadAsync(protocol);
        _world.Upstream.Reply(Script.Text("so", " far").ErrorAfter(1, type, "it broke"));
        await ShouldFailAsync(await _world.Server.AskAsync(thread, "hello"), thread, code, "so");
        await _world.ShouldGoOnAsync(thread, protocol, "so");
    }

    [Theory]
    [InlineData(401, "", "MODEL_AUTH_FAILED", 502)]
    [InlineData(400, """{"error":{"code":"context_length_exceeded","message":"too long"}}""", "CONTEXT_TOO_LONG", 422)]
    [InlineData(400, """{"error":{"code":"content_filter","message":"no"}}""", "CONTENT_FILTERED", 422)]
    public async Task Without_a_stream_the_code_comes_with_a_status(int status, string body, string code, int answer)
    {
        var thread = await _world.ThreadAsync(Protocol.Responses);
        _world.Upstream.Reply(Script.Status(status, body));
        using var response = await _world.Server.PostMessageAsync(thread, "hello", new { stream = false });
        await response.ShouldBeErrorAsync(answer, code);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Usage_and_cost_are_exact_in_event_message_and_log(Protocol protocol)
    {
        var thread = await _world.ThreadAsync(protocol);
        var written = protocol == Protocol.Messages ? 200 : 0;
        _world.Upstream.Reply(Script.Text("counted").WithUsage(new(1000, 50, 400, written)));
        var done = (await _world.Server.AskAsync(thread, "hello"))[^1].Data;
        var cost = protocol switch { Protocol.Responses => 0.00235m, Protocol.ChatCompletions => 0.0011m, _ => 0.00094m };
        foreach (var usage in new[] { done.GetProperty("usage"), (await _world.MessagesAsync(thread))[^1].GetProperty("usage") })
        {
            usage.GetProperty("input_tokens").GetInt64().ShouldBe(1000);
            usage.GetProperty("output_tokens").GetInt64().ShouldBe(50);
            usage.GetProperty("cache_read_tokens").GetInt64().ShouldBe(400);
            usage.GetProperty("cache_write_tokens").GetInt64().ShouldBe(written);
            usage.GetProperty("cost_usd").GetDecimal().ShouldBe(cost);
        }
        var trace = await TraceAsync(done.GetProperty("turnId").GetGuid());
        trace.ToString().ShouldContain(cost.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(503)]
    public async Task A_fallback_answers_is_announced_and_is_what_is_paid(int status)
    {
        var thread = await _world.ThreadAsync(Protocol.Messages);
        var attempts = status == 503 ? 3 : 1;
        _world.Upstream.Reply([.. Enumerable.Repeat(Script.Status(status), attempts), Script.Text("instead").WithUsage(new(1000, 50))]);
        var (events, _) = await _world.AskThroughRetriesAsync(thread, "hello", new { anthropicOverrides = new { fallbackModels = new[] { "gpt-5.4", "compat/fake" } } });
        events.Select(e => e.Event).ShouldBe(["meta", "client_event", "token", "done"]);
        var announced = events[1].Data;
        announced.GetProperty("kind").GetString().ShouldBe("model_fallback");
        announced.GetProperty("payload").ToString().ShouldBe($$"""{"from":"claude-haiku-4-5","to":"gpt-5.4","status":{{status}}}""");
        events[^1].Data.GetProperty("usage").GetProperty("cost_usd").GetDecimal().ShouldBe(0.00325m);
        (await _world.MessagesAsync(thread))[^1].GetProperty("model").GetString().ShouldBe("gpt-5.4");
        _world.Upstream.Requests.Select(r => r.Path).ShouldBe([.. Enumerable.Repeat("/v1/messages", attempts), "/v1/responses"]);
    }

    [Theory]
    [InlineData(401, "MODEL_AUTH_FAILED", 1)]
    [InlineData(429, "MODEL_RATE_LIMITED", 3)]
    public async Task Other_faults_do_not_fall_back(int status, string code, int attempts)
    {
        var thread = await _world.ThreadAsync(Protocol.Messages);
        _world.Upstream.Reply([.. Enumerable.Repeat(Script.Status(status), attempts)]);
        var (events, _) = await _world.AskThroughRetriesAsync(thread, "hello", new { anthropicOverrides = new { fallbackModels = new[] { "gpt-5.4" } } });
        await ShouldFailAsync(events, thread, code, "");
        _world.Upstream.Requests.Count.ShouldBe(attempts);
    }

    [Fact]
    public async Task Text_is_never_taken_back_by_a_fallback()
    {
        var thread = await _world.ThreadAsync(Protocol.Messages);
        _world.Upstream.Reply(Script.Text("said", " so").CutAfter(1));
        var events = await _world.Server.AskAsync(thread, "hello", new { anthropicOverrides = new { fallbackModels = new[] { "gpt-5.4" } } });
        await ShouldFailAsync(events, thread, "MODEL_UNAVAILABLE", "said");
        _world.Upstream.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task OpenAI_is_told_the_cache_key_and_the_safety_identifier()
    {
        var thread = await _world.ThreadAsync(Protocol.Responses);
        var org = (await _world.Server.Client.GetAsync($"/api/threads/{thread}", TestContext.Current.CancellationToken).ShouldBe(200)).GetProperty("org_id").GetString();
        await _world.Server.AskAsync(thread, "one");
        var body = _world.Upstream.LastRequest.Body;
        (body.GetProperty("prompt_cache_key").GetString(), body.GetProperty("safety_identifier").GetString()).ShouldBe((thread.ToString(), org));
        await _world.Server.AskAsync(thread, "two", new { openaiOverrides = new { promptCacheKey = "mine", safetyIdentifier = "user-7" } });
        body = _world.Upstream.LastRequest.Body;
        (body.GetProperty("prompt_cache_key").GetString(), body.GetProperty("safety_identifier").GetString()).ShouldBe(("mine", "user-7"));
        await _world.Server.AskAsync(thread, "three", new { openaiOverrides = new { disabled = true } });
        body = _world.Upstream.LastRequest.Body;
        (body.TryGetProperty("prompt_cache_key", out _), body.TryGetProperty("safety_identifier", out _)).ShouldBe((false, false));
    }

    [Fact]
    public async Task Anthropic_is_sent_cache_breakpoints_and_thinking()
    {
        var thread = await _world.ThreadAsync(Protocol.Messages);
        var tools = new[] { new { name = "pay", description = "pays", parameters = new { type = "object" } } };
        await _world.Server.AskAsync(thread, "one", new { tools });
        Breakpoints().ShouldBe(["""{"type":"ephemeral"}""", """{"type":"ephemeral"}""", """{"type":"ephemeral"}"""]);
        await _world.Server.AskAsync(thread, "two", new { tools, anthropicOverrides = new { cache = new { ttl = "1h", cacheTools = false }, thinking = new { enabled = true, budgetTokens = 2048 } } });
        Breakpoints().ShouldBe(["""{"type":"ephemeral","ttl":"1h"}""", """{"type":"ephemeral","ttl":"1h"}"""]);
        _world.Upstream.LastRequest.Body.GetProperty("thinking").ToString().ShouldBe("""{"type":"enabled","budget_tokens":2048}""");
        _world.Upstream.LastRequest.Headers["anthropic-beta"].ShouldContain("interleaved-thinking");
        await _world.Server.AskAsync(thread, "three", new { tools, anthropicOverrides = new { cache = new { disabled = true } } });
        Breakpoints().ShouldBeEmpty();

        List<string> Breakpoints() => [.. Find(_world.Upstream.LastRequest.Body)];

        static IEnumerable<string> Find(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Array => value.EnumerateArray().SelectMany(Find),
            JsonValueKind.Object => value.EnumerateObject().SelectMany(p => p.NameEquals("cache_control") ? [p.Value.GetRawText()] : Find(p.Value)),
            _ => [],
        };
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Nothing_of_the_upstream_leaks(Protocol protocol)
    {
        const string Host = "llm7.corp.example";
        var thread = await _world.ThreadAsync(protocol);
        var body = $$"""{"error":{"message":"Key {{FaultWorld.ProviderKey}} was refused by http://{{Host}}:8443/v1 (10.1.2.3)","type":"invalid_request_error"},"debug":"stack-trace-of-upstream"}""";
        var page = $"<html>{FaultWorld.ProviderKey} at {Host} stack-trace-of-upstream</html>";
        var seen = new List<string>();
        foreach (var (status, text) in new[] { (400, body), (401, body), (403, page), (500, page), (400, page) })
        {
            _world.Upstream.Reply(Script.Status(status, text), Script.Status(status, text), Script.Status(status, text));
            var (events, _) = await _world.AskThroughRetriesAsync(thread);
            _world.Upstream.Forget();
            seen.AddRange(events.Select(e => e.Data.ToString()));
            seen.Add((await TraceAsync(events[0].Data.GetProperty("turnId").GetGuid())).ToString());
        }
        seen.Add((await _world.MessagesAsync(thread)).Aggregate("", (all, message) => all + message));
        seen.AddRange(_world.Server.Log.Lines);
        foreach (var secret in new[] { FaultWorld.ProviderKey, Host, "10.1.2.3", "stack-trace-of-upstream" })
        {
            seen.Where(text => text.Contains(secret, StringComparison.Ordinal)).ShouldBeEmpty($"'{secret}' leaked");
        }
        var port = $":{_world.Upstream.Anthropic.Port}";
        seen.Take(seen.Count - _world.Server.Log.Lines.Count).Where(text => text.Contains(port, StringComparison.Ordinal)).ShouldBeEmpty("the provider's address leaked");
    }

    // Exactly one error ends the stream, its text is stored with the code, and no thread stays busy.
    private async Task ShouldFailAsync(IReadOnlyList<ServerEvent> events, Guid thread, string code, string text)
    {
        events[0].Event.ShouldBe("meta");
        events.Skip(1).SkipLast(1).ShouldAllBe(e => e.Event == "token");
        events[^1].Event.ShouldBe("error", events[^1].Data.ToString());
        events[^1].Data.GetProperty("code").GetString().ShouldBe(code, events[^1].Data.ToString());
        string.Concat(events.Where(e => e.Event == "token").Select(e => e.Data.GetProperty("delta").GetString())).ShouldBe(text);
        events.Select(e => e.Sequence).ShouldBe(Enumerable.Range(1, events.Count).Select(i => (long)i));
        var stored = (await _world.MessagesAsync(thread))[^1];
        stored.GetProperty("role").GetString().ShouldBe("assistant");
        stored.GetProperty("error").GetString().ShouldBe(code);
        stored.GetProperty("content").GetString().ShouldBe(text);
        var state = await _world.Server.Client.GetAsync($"/api/threads/{thread}", TestContext.Current.CancellationToken).ShouldBe(200);
        state.GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    private Task<JsonElement> TraceAsync(Guid turn) => _world.Server.Client.GetAsync($"/api/logs/{turn}", TestContext.Current.CancellationToken).ShouldBe(200);

    private static TheoryData<Protocol, int, string, string> ForEach(params (int Status, string Body, string Code)[] rows)
    {
        var data = new TheoryData<Protocol, int, string, string>();
        foreach (var protocol in Enum.GetValues<Protocol>())
        {
            foreach (var (status, body, code) in rows) data.Add(protocol, status, body, code);
        }
        return data;
    }
}
