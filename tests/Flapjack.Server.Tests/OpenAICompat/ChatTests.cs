using System.Text.Json;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>Chat Completions: conversations with agents for clients made for OpenAI.</summary>
public sealed class ChatTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly object[] Tools = [new { type = "function", function = new { name = "pick", description = "Picks.", parameters = new { type = "object" } } }];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_in_one_piece()
    {
        var model = await world.AgentAsync();
        using var response = await world.ChatAsync(new { model, messages = new[] { CompatCalls.User("/echo hello there") } });
        var answer = await response.ShouldBeAsync(200);
        answer.GetProperty("id").GetString().ShouldStartWith("chatcmpl-");
        answer.GetProperty("object").GetString().ShouldBe("chat.completion");
        answer.GetProperty("created").GetInt64().ShouldBeInRange(world.Server.Time.GetUtcNow().ToUnixTimeSeconds() - 120, world.Server.Time.GetUtcNow().ToUnixTimeSeconds() + 120);
        answer.GetProperty("model").GetString().ShouldBe(model);
        answer.GetProperty("choices").GetRawText().ShouldBe("""[{"index":0,"message":{"content":"hello there","role":"assistant","refusal":null},"finish_reason":"stop","logprobs":null}]""");
        answer.GetProperty("usage").GetRawText().ShouldBe("""{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0}}""");
        response.ThreadOf().ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task A_stream_of_chunks()
    {
        var model = await world.AgentAsync();
        var stream = await world.ChatAsync(new { model, stream = true, stream_options = new { include_usage = true }, messages = new[] { CompatCalls.User("/count 3") } }).StreamAsync();
        stream.IsDone.ShouldBeTrue();
        stream.ChatText.ShouldBe("1 2 3");
        stream.Events.ShouldAllBe(e => e.Name == null);
        stream.Data.Select(chunk => (chunk.GetProperty("id").GetString(), chunk.GetProperty("object").GetString(), chunk.GetProperty("model").GetString())).Distinct().Count().ShouldBe(1);
        var deltas = stream.Data.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()).Select(choice => $"{choice.GetProperty("delta").GetRawText()} {choice.GetProperty("finish_reason")}");
        deltas.ShouldBe(["""{"role":"assistant","content":""} """, """{"content":"1"} """, """{"content":" 2"} """, """{"content":" 3"} """, "{} stop"]);
        stream.Data.Last().GetProperty("usage").GetProperty("completion_tokens").GetInt32().ShouldBe(3);
        stream.Data.Count(chunk => chunk.TryGetProperty("usage", out _)).ShouldBe(1);
    }

    [Fact]
    public async Task What_was_said_before_is_history_and_instructions_stand_after_the_agents_own()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI, new { stablePreamble = "You are Ada." });
        world.Upstream.Forget();
        await world.CompleteAsync(new
        {
            model,
            messages = new object[]
            {
                new { role = "system", content = "Speak French." },
                new { role = "user", content = new object[] { new { type = "text", text = "one" }, new { type = "text", text = "two" } } },
                new { role = "assistant", content = "un, deux" },
                new { role = "developer", content = "Be brief." },
                CompatCalls.User("three"),
            },
        });
        var sent = world.Upstream.LastRequest.Body;
        sent.GetProperty("instructions").GetString().ShouldBe("You are Ada.\n\nSpeak French.\n\nBe brief.");
        sent.GetProperty("input").EnumerateArray().Select(Said).ShouldBe(["user: one\ntwo", "assistant: un, deux", "user: three"]);
    }

    [Fact]
    public async Task Limits_temperature_and_stops_reach_the_provider()
    {
        await using var own = await TurnWorld.StartAsync(settings =>
        {
            settings["Providers:compat:Kind"] = "openai_compatible";
            settings["Providers:compat:BaseUrl"] = "http://127.0.0.1:1/v1";
            settings["Providers:compat:Models:0:Id"] = "fake";
        });
        await own.Server.RestartAsync(settings => settings["Providers:compat:BaseUrl"] = own.Upstream.OpenAI.ToString());
        var model = await own.AgentAsync("compat/fake", new { maxOutputTokens = 50 });
        await own.CompleteAsync(new { model, temperature = 0.3, max_tokens = 20, max_completion_tokens = 70, stop = "END", user = "u-7", messages = new[] { CompatCalls.User("hi") } });
        var sent = own.Upstream.LastRequest.Body;
        sent.GetProperty("temperature").GetDouble().ShouldBe(0.3, 0.0001);
        sent.GetProperty("max_tokens").GetInt32().ShouldBe(50);
        sent.GetProperty("stop").GetRawText().ShouldBe("""["END"]""");
        var trace = await own.GetAsync("/api/logs");
        trace.GetProperty("traces")[0].GetProperty("user_id").GetString().ShouldBe("u-7");
    }

    [Fact]
    public async Task An_answer_cut_by_its_limit_says_so()
    {
        var model = await world.AgentAsync();
        var answer = await world.CompleteAsync(new { model, max_completion_tokens = 2, messages = new[] { CompatCalls.User("/count 5") } });
        answer.TextOf().ShouldBe("1 2");
        answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString().ShouldBe("length");
    }

    [Theory]
    [InlineData("header")]
    [InlineData("metadata")]
    public async Task A_thread_knows_its_history_so_only_the_last_message_counts(string way)
    {
        var model = await world.AgentAsync();
        var thread = await world.Server.CreateThreadAsync(Guid.Parse(model[6..]));
        await world.Server.AskAsync(thread, "/echo first");
        var messages = new object[] { CompatCalls.User("never said"), new { role = "assistant", content = "nor this" }, CompatCalls.User("/history") };
        object body = way == "header" ? new { model, messages } : new { model, messages, metadata = new { thread_id = thread.ToString() } };
        using var response = await world.ChatAsync(body, way == "header" ? thread : null);
        (await response.ShouldBeAsync(200)).TextOf().ShouldBe("messages: 3");
        response.ThreadOf().ShouldBe(thread);
        (await world.MessagesAsync(thread)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_busy_thread_is_409()
    {
        var model = await world.AgentAsync();
        var thread = await world.Server.CreateThreadAsync(Guid.Parse(model[6..]));
        await using var running = await world.SendAsync(thread, new { content = """/tool hold {"key":"busy-chat"}""" });
        await world.Tools.Hold("busy-chat").Entered;
        await world.ChatAsync(new { model, messages = new[] { CompatCalls.User("hi") } }, thread).ShouldFailAsync(409, "THREAD_BUSY");
        world.Tools.Hold("busy-chat").Release();
        await running.EndAsync();
    }

    [Fact]
    public async Task Tools_of_the_server_show_in_comments_only()
    {
        var model = await world.AgentAsync();
        var stream = await world.ChatAsync(new { model, stream = true, messages = new[] { CompatCalls.User("""/tool weather {"city":"Oslo"}""") } }).StreamAsync();
        stream.ChatText.ShouldBe("""weather returned: {"celsius":4}""");
        stream.Comments.ShouldBe([": tool_call weather", ": tool_executing weather", ": tool_result weather"]);
        stream.Data.ShouldAllBe(chunk => !chunk.GetRawText().Contains("tool_calls", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_function_of_the_client_is_asked_for_and_its_result_lets_the_thread_go_on(bool resendsAll)
    {
        var model = await world.AgentAsync();
        var question = CompatCalls.User("""/tool pick {"n":1}""");
        var stream = await world.ChatAsync(new { model, stream = true, tools = Tools, messages = new[] { question } }).StreamAsync();
        var last = stream.Data.ToList()[^2].GetProperty("choices")[0].GetProperty("delta").GetProperty("tool_calls");
        last.GetRawText().ShouldBe("""[{"index":0,"id":"call_1","function":{"name":"pick","arguments":"{\"n\":1}"},"type":"function"}]""");
        stream.Data.Last().GetProperty("choices")[0].GetProperty("finish_reason").GetString().ShouldBe("tool_calls");
        stream.IsDone.ShouldBeTrue();

        var result = new { role = "tool", tool_call_id = "call_1", content = "a plum" };
        var call = new { role = "assistant", content = (string?)null, tool_calls = new[] { new { id = "call_1", type = "function", function = new { name = "pick", arguments = """{"n":1}""" } } } };
        object[] messages = resendsAll ? [question, call, result] : [result];
        var answer = await world.CompleteAsync(new { model, tools = Tools, messages }, stream.Thread);
        answer.TextOf().ShouldBe("pick returned: a plum");
        answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32().ShouldBe(4, "only what this request used");
        (await world.MessagesAsync(stream.Thread)).Select(m => m.GetProperty("content").GetString()).ShouldBe(["""/tool pick {"n":1}""", "pick returned: a plum"]);
    }

    [Fact]
    public async Task Without_a_thread_the_conversation_itself_brings_the_result()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Forget();
        world.Upstream.Reply(Script.Text("A plum it is."));
        var calls = new[] { new { id = "c1", type = "function", function = new { name = "pick", arguments = """{"n":1}""" } }, new { id = "c2", type = "function", function = new { name = "pick", arguments = "{}" } } };
        using var response = await world.ChatAsync(new
        {
            model,
            tools = Tools,
            messages = new object[]
            {
                CompatCalls.User("hello"), new { role = "assistant", content = "hi" }, CompatCalls.User("pick two"), new { role = "assistant", content = "Picking.", tool_calls = calls },
                new { role = "tool", tool_call_id = "c2", content = "a pear" }, new { role = "tool", tool_call_id = "c1", content = "a plum" },
            },
        });
        (await response.ShouldBeAsync(200)).TextOf().ShouldBe("A plum it is.");
        var sent = world.Upstream.LastRequest.Body.GetProperty("input").EnumerateArray().Select(Said).ToList();
        sent.ShouldBe(["user: hello", "assistant: hi", "user: pick two", "assistant: Picking.", "function_call c1", "function_call c2", "function_call_output c1 a plum", "function_call_output c2 a pear"]);
        var thread = response.ThreadOf();
        (await world.MessagesAsync(thread)).Select(m => m.GetProperty("content").GetString()).ShouldBe(["hello", "hi", "pick two", "A plum it is."]);
        (await world.MessagesAsync(thread, "?include=tools")).Count(m => m.GetProperty("role").GetString() == "tool").ShouldBe(2);
        (await world.TraceAsync(thread)).GetProperty("trace").GetProperty("status").GetString().ShouldBe("ok");
        (await world.ThreadAsync(thread)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Answered_calls_further_back_are_history()
    {
        var model = await world.AgentAsync(TurnWorld.Claude);
        world.Upstream.Forget();
        using var response = await world.ChatAsync(new
        {
            model,
            messages = new object[]
            {
                CompatCalls.User("pick"), new { role = "assistant", tool_calls = new[] { new { id = "c1", type = "function", function = new { name = "pick", arguments = "{}" } } } },
                new { role = "tool", tool_call_id = "c1", content = "a plum" }, new { role = "assistant", content = "A plum." }, CompatCalls.User("thanks"),
            },
        });
        (await response.ShouldBeAsync(200)).TextOf().ShouldBe("ok");
        var kinds = world.Upstream.LastRequest.Body.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("content").ValueKind == JsonValueKind.String ? "text" : string.Join('+', m.GetProperty("content").EnumerateArray().Select(c => c.GetProperty("type").GetString())));
        kinds.ShouldBe(["text", "tool_use", "tool_result", "text", "text"]);
        (await world.MessagesAsync(response.ThreadOf(), "?include=tools")).Count.ShouldBe(5);
    }

    [Fact]
    public async Task Tool_choice_none_keeps_the_functions_from_the_model()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Forget();
        await world.CompleteAsync(new { model, tools = Tools, tool_choice = "none", messages = new[] { CompatCalls.User("hi") } });
        world.Upstream.LastRequest.Body.GetRawText().ShouldNotContain("pick");
        await world.CompleteAsync(new { model, tools = Tools, tool_choice = "auto", messages = new[] { CompatCalls.User("hi") } });
        world.Upstream.LastRequest.Body.GetRawText().ShouldContain("pick");
    }

    [Fact]
    public async Task A_client_that_leaves_stops_the_turn()
    {
        var model = await world.AgentAsync();
        using (await world.ChatAsync(new { model, stream = true, messages = new[] { CompatCalls.User("/echo a\n/tool hold {\"key\":\"left-chat\"}") } })) await world.Tools.Hold("left-chat").Entered;
        await world.Tools.Hold("left-chat").Cancelled;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_repeat_under_the_same_key_gets_the_same_answer(bool stream)
    {
        var model = await world.AgentAsync();
        var (body, key) = (new { model, stream, messages = new[] { CompatCalls.User("/echo once") } }, Guid.CreateVersion7().ToString());
        using var first = await world.ChatAsync(body, key: key);
        var told = await first.Content.ReadAsStringAsync(Token);
        using var again = await world.ChatAsync(body, key: key);
        (await again.Content.ReadAsStringAsync(Token)).ShouldBe(told);
        again.Header("Idempotency-Replayed").ShouldBe("true");
        (await world.MessagesAsync(first.ThreadOf())).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_repeat_gets_the_stream_it_opened_whether_or_not_a_thread_knows_the_calls()
    {
        var model = await world.AgentAsync();
        var (key, next, own) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        var ask = new { model, stream = true, tools = Tools, messages = new[] { CompatCalls.User("/tool pick {}") } };
        var asked = await world.ChatAsync(ask, key: key).StreamAsync();
        var calls = asked.Data.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()).Select(choice => choice.GetProperty("delta")).Single(delta => delta.TryGetProperty("tool_calls", out _)).GetProperty("tool_calls");
        var result = new { role = "tool", tool_call_id = calls[0].GetProperty("id").GetString(), content = "a plum" };
        var answer = new { model, stream = true, tools = Tools, messages = new object[] { result } };
        var answered = await world.ChatAsync(answer, asked.Thread, key: next).StreamAsync();
        // Told in one request, results that a user's message follows are history.
        var alone = new { model, stream = true, tools = Tools, messages = new object[] { CompatCalls.User("pick"), new { role = "assistant", tool_calls = calls }, result, CompatCalls.User("/echo thanks") } };
        var told = await world.ChatAsync(alone, key: own).StreamAsync();
        (answered.ChatText, told.ChatText).ShouldBe(("pick returned: a plum", "thanks"));

        Events(await world.ChatAsync(ask, key: key).StreamAsync()).ShouldBe(Events(asked));
        Events(await world.ChatAsync(answer, asked.Thread, key: next).StreamAsync()).ShouldBe(Events(answered));
        Events(await world.ChatAsync(alone, key: own).StreamAsync()).ShouldBe(Events(told));

        static IEnumerable<string> Events(CompatStream stream) => stream.Data.Select(data => data.GetRawText());
    }

    private static string Said(JsonElement item) => item.TryGetProperty("role", out var role)
        ? $"{role.GetString()}: {(item.GetProperty("content").ValueKind == JsonValueKind.String ? item.GetProperty("content").GetString() : item.GetProperty("content")[0].GetProperty("text").GetString())}"
        : $"{item.GetProperty("type").GetString()} {item.GetProperty("call_id").GetString()}{(item.TryGetProperty("output", out var output) ? " " + output.GetString() : "")}";
}
