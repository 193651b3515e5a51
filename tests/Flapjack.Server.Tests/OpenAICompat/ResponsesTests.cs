using System.Text.Json;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>The Responses API: the same agents, with threads the client goes on with by the id of an answer.</summary>
public sealed class ResponsesTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly object[] Tools = [new { type = "function", name = "pick", description = "Picks.", parameters = new { type = "object" } }];

    [Fact]
    public async Task An_answer_in_one_piece()
    {
        var model = await world.AgentAsync();
        using var called = await world.RespondAsync(new { model, input = "/echo hello", instructions = "Be kind.", metadata = new { tag = "x" }, user = "u-1" });
        var response = await called.ShouldBeAsync(200);
        response.GetProperty("id").GetString()!.ShouldMatch("^resp_[0-9a-f]{32}$");
        response.GetProperty("object").GetString().ShouldBe("response");
        response.GetProperty("status").GetString().ShouldBe("completed");
        response.GetProperty("model").GetString().ShouldBe(model);
        response.GetProperty("instructions").GetString().ShouldBe("Be kind.");
        response.GetProperty("metadata").GetRawText().ShouldBe("""{"tag":"x"}""");
        response.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null);
        var item = response.GetProperty("output")[0];
        item.GetProperty("type").GetString().ShouldBe("message");
        item.GetProperty("content")[0].GetRawText().ShouldBe("""{"text":"hello","type":"output_text","annotations":[],"logprobs":[]}""");
        response.GetProperty("usage").GetRawText().ShouldBe("""{"input_tokens":4,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5}""");
        var turn = (await world.MessagesAsync(called.ThreadOf()))[0].GetProperty("turn_id").GetGuid();
        response.GetProperty("id").GetString().ShouldBe($"resp_{turn:N}");
    }

    [Fact]
    public async Task A_stream_tells_of_every_step()
    {
        var model = await world.AgentAsync();
        var stream = await world.RespondAsync(new { model, stream = true, input = new[] { new { role = "user", content = new[] { new { type = "input_text", text = "/count 2" } } } } }).StreamAsync();
        stream.Events.Select(e => e.Name).ShouldBe([
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
            "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]);
        stream.Events.ShouldAllBe(e => e.Data.GetProperty("type").GetString() == e.Name);
        stream.Data.Select(d => d.GetProperty("sequence_number").GetInt32()).ShouldBe(Enumerable.Range(0, 10));
        stream.Data.Where(d => d.TryGetProperty("item_id", out _)).Select(d => d.GetProperty("item_id").GetString()).Distinct().ShouldBe([stream.Events[2].Data.GetProperty("item").GetProperty("id").GetString()]);
        var last = stream.Data.Last().GetProperty("response");
        last.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("1 2");
        last.GetProperty("output")[0].GetRawText().ShouldBe(stream.Events[8].Data.GetProperty("item").GetRawText());
        stream.Events[0].Data.GetProperty("response").GetProperty("status").GetString().ShouldBe("in_progress");
        stream.IsDone.ShouldBeFalse();
    }

    [Fact]
    public async Task The_next_response_goes_on_with_the_thread_of_the_previous_one()
    {
        var model = await world.AgentAsync();
        var first = await world.RespondAsync(new { model, input = "/echo one" }).ShouldBe(200);
        using var second = await world.RespondAsync(new { model, input = "/history", previous_response_id = first.GetProperty("id").GetString() });
        var body = await second.ShouldBeAsync(200);
        body.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("messages: 3");
        body.GetProperty("previous_response_id").GetString().ShouldBe(first.GetProperty("id").GetString());
        var listed = await world.GetAsync($"/api/threads?agentId={model[6..]}");
        listed.GetProperty("threads").EnumerateArray().Select(t => t.GetProperty("id").GetGuid()).ShouldBe([second.ThreadOf()]);
    }

    [Fact]
    public async Task A_function_is_called_and_its_output_answers_the_call()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", """{"n":1}""")).After("Let me pick."), Script.Text("A plum."));
        var stream = await world.RespondAsync(new { model, stream = true, tools = Tools, input = "pick" }).StreamAsync();
        stream.Events.Select(e => e.Name).Skip(6).ShouldBe([
            "response.content_part.done", "response.output_item.done", "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
            "response.completed"]);
        var first = stream.Data.Last().GetProperty("response");
        var call = first.GetProperty("output")[1];
        (call.GetProperty("type").GetString(), call.GetProperty("call_id").GetString(), call.GetProperty("name").GetString(), call.GetProperty("arguments").GetString()).ShouldBe(("function_call", "c1", "pick", """{"n":1}"""));
        stream.Events.Single(e => e.Name == "response.function_call_arguments.done").Data.GetProperty("output_index").GetInt32().ShouldBe(1);
        first.GetProperty("tools")[0].GetProperty("name").GetString().ShouldBe("pick");

        using var answered = await world.RespondAsync(new
        {
            model, tools = Tools, previous_response_id = first.GetProperty("id").GetString(), input = new[] { new { type = "function_call_output", call_id = "c1", output = "a plum" } },
        });
        var second = await answered.ShouldBeAsync(200);
        answered.ThreadOf().ShouldBe(stream.Thread);
        second.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("A plum.", "nothing stands between the texts of two responses");
        second.GetProperty("output")[0].GetProperty("id").GetString().ShouldNotBe(first.GetProperty("output")[0].GetProperty("id").GetString());
        second.GetProperty("usage").GetProperty("output_tokens").GetInt32().ShouldBe(5);
    }

    [Fact]
    public async Task A_client_that_keeps_its_own_history_leaves_nothing_behind()
    {
        var model = await world.AgentAsync();
        var input = new object[]
        {
            new { type = "message", role = "user", content = "hello" }, new { type = "reasoning", id = "rs_1", summary = Array.Empty<object>() },
            new { type = "message", role = "assistant", content = new[] { new { type = "output_text", text = "Picking." } } }, new { type = "function_call", call_id = "c1", name = "pick", arguments = "{}" },
            new { type = "function_call_output", call_id = "c1", output = "a plum" },
        };
        using var called = await world.RespondAsync(new { model, store = false, tools = Tools, input });
        var response = await called.ShouldBeAsync(200);
        response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("pick returned: a plum");
        response.GetProperty("store").GetBoolean().ShouldBeFalse();
        await world.Server.Client.GetAsync($"/api/threads/{called.ThreadOf()}", TestContext.Current.CancellationToken).ShouldBeError(404, "NOT_FOUND");
        await world.RespondAsync(new { model, input = "more", previous_response_id = response.GetProperty("id").GetString() }).ShouldFailAsync(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_limit_makes_it_incomplete()
    {
        var model = await world.AgentAsync();
        var stream = await world.RespondAsync(new { model, stream = true, max_output_tokens = 2, input = "/count 5" }).StreamAsync();
        stream.Events[^1].Name.ShouldBe("response.incomplete");
        var response = stream.Data.Last().GetProperty("response");
        response.GetProperty("incomplete_details").GetRawText().ShouldBe("""{"reason":"max_output_tokens"}""");
        response.GetProperty("output")[0].GetProperty("status").GetString().ShouldBe("incomplete");
    }

    [Fact]
    public async Task A_model_that_fails_in_the_middle_is_told_in_the_stream()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("half", "never").CutAfter(1));
        var stream = await world.RespondAsync(new { model, stream = true, input = "hi" }).StreamAsync();
        stream.Events[^1].Name.ShouldBe("response.failed");
        stream.Data.Last().GetProperty("response").GetProperty("error").GetProperty("code").GetString().ShouldBe("MODEL_UNAVAILABLE");
        stream.Data.Last().GetProperty("response").GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("half");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_repeat_under_the_same_key_gets_the_same_answer(bool stream)
    {
        var model = await world.AgentAsync();
        var (body, key) = (new { model, stream, input = "/echo once" }, Guid.CreateVersion7().ToString());
        using var first = await world.RespondAsync(body, key: key);
        var told = await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var again = await world.RespondAsync(body, key: key);
        (await again.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe(told);
    }

    [Fact]
    public async Task A_repeat_gets_the_stream_it_opened_also_after_the_turn_went_on()
    {
        var model = await world.AgentAsync();
        var (key, next) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        var ask = new { model, stream = true, tools = Tools, input = "/tool pick {}" };
        var asked = await world.RespondAsync(ask, key: key).StreamAsync();
        var first = asked.Data.Last().GetProperty("response");
        var call = first.GetProperty("output").EnumerateArray().Single(item => item.GetProperty("type").GetString() == "function_call").GetProperty("call_id").GetString();
        var answer = new { model, stream = true, tools = Tools, previous_response_id = first.GetProperty("id").GetString(), input = new[] { new { type = "function_call_output", call_id = call, output = "a plum" } } };
        var answered = await world.RespondAsync(answer, key: next).StreamAsync();
        Events(await world.RespondAsync(ask, key: key).StreamAsync()).ShouldBe(Events(asked));
        Events(await world.RespondAsync(answer, key: next).StreamAsync()).ShouldBe(Events(answered));
        Events(answered).ShouldNotBe(Events(asked));

        static IEnumerable<string> Events(CompatStream stream) => stream.Data.Select(data => data.GetRawText());
    }

    [Theory]
    [InlineData("""{"model":"@","input":"hi","tools":[{"type":"web_search"}]}""", 400, "INVALID_REQUEST", "tools[0].type")]
    [InlineData("""{"model":"@","input":"hi","background":true}""", 422, "VALIDATION_ERROR", "background")]
    [InlineData("""{"model":"@","input":"hi","previous_response_id":"resp_1"}""", 422, "VALIDATION_ERROR", "previous_response_id")]
    [InlineData("""{"model":"@","input":"hi","previous_response_id":"resp_0197a1c27d107c319a550b6f2f7f0001"}""", 404, "NOT_FOUND", null)]
    [InlineData("""{"model":"@","input":"hi","previous_response_id":"resp_0197a1c27d107c319a550b6f2f7f0001","store":false}""", 422, "VALIDATION_ERROR", "store")]
    [InlineData("""{"model":"@"}""", 422, "VALIDATION_ERROR", "input")]
    [InlineData("""{"model":"@","input":7}""", 400, "INVALID_REQUEST", "input")]
    [InlineData("""{"model":"@","input":[7]}""", 400, "INVALID_REQUEST", "input[0]")]
    [InlineData("""{"model":"@","input":[{"type":"item_reference","id":"x"}]}""", 422, "VALIDATION_ERROR", "input[0].type")]
    [InlineData("""{"model":"@","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}""", 422, "VALIDATION_ERROR", "input[0].call_id")]
    [InlineData("""{"model":"@","input":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}""", 422, "VALIDATION_ERROR", "input")]
    public async Task Bad_requests(string body, int status, string code, string? param) =>
        await world.RespondAsync(body.Replace("@", await world.AgentAsync(), StringComparison.Ordinal)).ShouldFailAsync(status, code, param);
}
