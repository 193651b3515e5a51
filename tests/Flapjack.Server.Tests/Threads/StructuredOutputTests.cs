using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads;

/// <summary><c>responseFormat</c>: the answer is JSON, perhaps of a schema, and <c>done.output</c> is its value.</summary>
public sealed class StructuredOutputTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private const string Oslo = """{"city":"Oslo"}""";
    private static readonly JsonElement City = JsonElement.Parse("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""");
    private static readonly object CityFormat = new { type = "json_schema", schema = City };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_answer_is_json_and_its_value_comes_along()
    {
        var thread = await world.OpenAsync();
        var events = await world.Server.AskAsync(thread, $"/json {Oslo}", new { responseFormat = CityFormat });
        events.Select(e => e.Event).ShouldBe(["meta", "token", "done"]);
        events.Deltas().ShouldBe(Oslo);
        events[^1].Data.Text("content").ShouldBe(Oslo);
        events[^1].Data.GetProperty("output").GetRawText().ShouldBe(Oslo);
        (await world.MessagesAsync(thread))[^1].Text("content").ShouldBe(Oslo);
        // The next message of the thread is free again.
        (await world.Server.AskAsync(thread, "/echo free"))[^1].Data.TryGetProperty("output", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"type":"text"}""", "Hello", null)]
    [InlineData("null", "Hello", null)]
    [InlineData("""{"type":"json"}""", "[1, 2]", "[1,2]")]
    [InlineData("""{"type":"json_schema","schema":{"type":"array"},"strict":null,"name":null}""", "```json\n[1]\n```", "[1]")]
    public async Task Each_type_asks_for_what_it_says(string format, string said, string? output)
    {
        var thread = await world.OpenAsync(TurnWorld.Claude);
        world.Upstream.Reply(Script.Text(said));
        var answer = await world.PostAsync($"/api/threads/{thread}/messages", $$"""{"content":"go","stream":false,"response_format":{{format}}}""").ShouldBe(200);
        answer.TryGetProperty("output", out var value).ShouldBe(output is not null);
        if (output is not null) value.GetRawText().ShouldBe(output);
    }

    [Fact]
    public async Task The_provider_is_given_the_schema_under_its_name()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text(Oslo), Script.Text(Oslo));
        await world.Server.AskAsync(thread, "go", new { responseFormat = CityFormat });
        world.Upstream.LastRequest.Body.GetProperty("text").GetProperty("format").GetRawText()
            .ShouldBe($$$"""{"type":"json_schema","name":"answer","schema":{{{City.GetRawText()}}},"strict":true}""");
        await world.Server.AskAsync(thread, "go", new { responseFormat = new { type = "json_schema", schema = City, name = "town", strict = false } });
        var format = world.Upstream.LastRequest.Body.GetProperty("text").GetProperty("format");
        (format.Text("name"), format.GetProperty("strict").GetBoolean()).ShouldBe(("town", false));
    }

    [Fact]
    public async Task A_faulty_answer_is_corrected_unseen_and_counted()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("{\"city\":5}"), Script.Text(Oslo));
        var events = await world.Server.AskAsync(thread, "go", new { responseFormat = CityFormat });
        events.Deltas().ShouldBe(Oslo);
        events[^1].Data.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(20);
        Prompts.Shape(world.Upstream.LastRequest.Body)[..2].ShouldBe(["user:go", "assistant:{\"city\":5}"]);
        world.Upstream.LastRequest.Body.GetRawText().ShouldContain("/city: must be string");
        var trace = await world.TraceAsync(thread);
        trace.GetProperty("trace").Text("status").ShouldBe("ok");
        trace.GetProperty("spans").EnumerateArray().Where(s => s.Text("kind") == "llm").Select(s => s.GetProperty("error").GetString()).ShouldBe(["OUTPUT_SCHEMA_MISMATCH", null], ignoreOrder: true);
        // What was refused is no part of the conversation.
        world.Upstream.Reply(Script.Text("Bye."));
        await world.Server.AskAsync(thread, "thanks");
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", $"assistant:{Oslo}", "user:thanks"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_two_repairs_it_is_an_error_and_the_last_text_is_kept(bool stream)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("one"), Script.Text("two"), Script.Text("three"));
        if (stream)
        {
            var events = await world.Server.AskAsync(thread, "go", new { responseFormat = CityFormat });
            events.Select(e => e.Event).ShouldBe(["meta", "error"]);
            events[^1].Data.Text("code").ShouldBe("OUTPUT_SCHEMA_MISMATCH");
            events[^1].Data.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(30);
        }
        else
        {
            await world.PostAsync($"/api/threads/{thread}/messages", new { content = "go", stream = false, responseFormat = CityFormat }).ShouldBeError(422, "OUTPUT_SCHEMA_MISMATCH");
        }
        var kept = (await world.MessagesAsync(thread))[^1];
        (kept.Text("content"), kept.Text("error")).ShouldBe(("three", "OUTPUT_SCHEMA_MISMATCH"));
    }

    [Fact]
    public async Task A_turn_keeps_its_format_while_the_client_runs_tools()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}")).After("Let me ask."), Script.Text("Oslo it is"), Script.Text(Oslo));
        await using var first = await world.SendAsync(thread, new { content = "go", tools = new[] { new { name = "pick" } }, responseFormat = CityFormat });
        (await first.EndAsync()).Event.ShouldBe("requires_action");
        first.Seen.Deltas().ShouldBeEmpty();
        await using var second = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = "c1", result = "Oslo" } } });
        var done = await second.EndAsync(first.Seen[^1].Sequence + 1);
        second.Seen.Deltas().ShouldBe(Oslo);
        done.Data.GetProperty("output").GetRawText().ShouldBe(Oslo);
        Prompts.Shape(world.Upstream.LastRequest.Body)[..4].ShouldBe(["user:go", "assistant:Let me ask.", "call:c1", "result:c1"]);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task A_repeat_of_the_message_is_answered_alike_from_memory_and_from_storage(bool met, bool restarted)
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        var message = new { content = met ? """/json {"city": "Oslo", "n": 1.0}""" : "/echo no", responseFormat = new { type = "json" } };
        await using var first = await own.SendAsync(thread, message, key: "key-1");
        var end = await first.EndAsync();
        end.Event.ShouldBe(met ? "done" : "error");
        if (met) end.Data.GetProperty("output").GetRawText().ShouldBe("""{"city":"Oslo","n":1.0}""");
        if (restarted) await own.Server.RestartAsync();
        await using var again = await own.SendAsync(thread, message, key: "key-1");
        (await again.EndAsync()).Event.ShouldBe(end.Event);
        again.Response.Header("Idempotency-Replayed").ShouldBe("true");
        again.Seen.Deltas().ShouldBe(first.Seen.Deltas());
        if (met) again.Seen[^1].Data.GetRawText().ShouldBe(end.Data.GetRawText());
    }

    [Fact]
    public async Task A_stop_leaves_nothing_of_a_half_answer()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        var asked = new TaskCompletionSource();
        world.Upstream.Reply(Script.Text("{\"city\":", "\"Oslo\"}").SilentAfter(1).Paced(() =>
        {
            asked.TrySetResult();
            return Task.CompletedTask;
        }));
        await using var stream = await world.SendAsync(thread, new { content = "go", responseFormat = CityFormat });
        await stream.NextAsync();
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await world.StopAsync(thread);
        var done = (await stream.EndAsync()).Data;
        (done.Text("content"), done.GetProperty("stopped").GetBoolean(), done.TryGetProperty("output", out _)).ShouldBe(("", true, false));
        (await world.MessagesAsync(thread)).Count.ShouldBe(1);
    }

    public static TheoryData<string, int, string?> Faults => new()
    {
        { """ "json" """, 400, null },
        { """{"type":1}""", 400, null },
        { """{}""", 422, "responseFormat.type" },
        { """{"type":"xml"}""", 422, "responseFormat.type" },
        { """{"type":"json_schema"}""", 422, "responseFormat.schema" },
        { """{"type":"json_schema","schema":null}""", 422, "responseFormat.schema" },
        { """{"type":"json_schema","schema":[]}""", 400, null },
        { """{"type":"json_schema","schema":{},"name":"a b"}""", 422, "responseFormat.name" },
        { """{"type":"json_schema","schema":{},"strict":"yes"}""", 400, null },
        { """{"type":"json_schema","schema":{"type":"text"}}""", 422, "responseFormat.schema.type" },
        { """{"type":"json_schema","schema":{"properties":{"a/b":{"$ref":"https://example.com/city"}}}}""", 422, "responseFormat.schema.properties.a/b.$ref" },
        { """{"type":"json_schema","schema":{"anyOf":[true,{"minLength":"1"}]}}""", 422, "responseFormat.schema.anyOf[1].minLength" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Faulty_formats_are_refused_before_anything_is_stored(string format, int status, string? field)
    {
        var thread = await world.OpenAsync();
        await world.PostAsync($"/api/threads/{thread}/messages", $$"""{"content":"x","responseFormat":{{format}}}""").ShouldBeError(status, status == 400 ? "INVALID_REQUEST" : "VALIDATION_ERROR", field);
        (await world.MessagesAsync(thread)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_schema_may_have_64_KB()
    {
        var thread = await world.OpenAsync();
        object Message(int size) => new { content = "/json {}", responseFormat = new { type = "json_schema", schema = new { description = new string('x', size - """{"description":""}""".Length) } } };
        await using var most = await world.SendAsync(thread, Message(65_536));
        (await most.EndAsync()).Event.ShouldBe("done");
        await world.PostAsync($"/api/threads/{thread}/messages", Message(65_537)).ShouldBeError(422, "VALIDATION_ERROR", "responseFormat.schema");
    }
}
