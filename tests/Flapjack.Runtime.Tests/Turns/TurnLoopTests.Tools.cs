using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    private const string CitySchema = """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""";
    private static readonly TurnTool Get = FakeTool.Returning("get", "done");

    [Fact]
    public async Task A_call_runs_and_the_model_reads_its_result()
    {
        string? city = null, callId = null;
        var tool = new TurnTool(new FakeTool("weather", (context, arguments, _) =>
        {
            (city, callId) = (((JsonElement)arguments["city"]!).GetString(), context.ToolCallId);
            return new(new { celsius = 4 });
        }, CitySchema));
        var turn = new Turn(Answer.Calls(("1", "weather", """{"city":"Oslo"}""")), Answer.Says("4")) { Tools = [tool] };
        await turn.RunAsync();
        turn.Stream.ShouldBe("call:1 exec:1 result:1 '4'");
        (city, callId).ShouldBe(("Oslo", "1"));
        turn.ResultOf("1").Result.GetRawText().ShouldBe("""{"celsius":4}""");
        var asked = turn.Model.Requests[1].Messages;
        ToolCallArguments.TextOf(asked[2].Contents[0].ShouldBeOfType<FunctionCallContent>()).ShouldBe("""{"city":"Oslo"}""");
        asked[3].Contents[0].ShouldBeOfType<FunctionResultContent>().Result.ShouldBe("""{"celsius":4}""");
        turn.State.Added.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_step_is_journalled_before_the_call_is_made()
    {
        Turn turn = null!;
        var recorded = false;
        turn = new(Answer.Calls(("1", "get", "{}"))) { Tools = [FakeTool.Running("get", _ => recorded = turn.Journal.Steps.Count == 1 && turn.Journal.Results.Count == 0)] };
        await turn.RunAsync();
        recorded.ShouldBeTrue();
    }

    [Fact]
    public async Task Calls_run_four_at_a_time_and_the_model_reads_them_in_its_order()
    {
        var gates = Enumerable.Range(0, 5).Select(_ => new TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();
        var tools = gates.Select((gate, i) => FakeTool.Waiting($"t{i}", _ => gate.Task)).ToArray();
        var turn = new Turn(Answer.Calls([.. gates.Select((_, i) => ($"{i}", $"t{i}", "{}"))]), Answer.Says("B")) { Tools = tools };
        var executing = 0;
        turn.OnEvent = happened =>
        {
            // The fourth start lets the last of them end; each end lets the one before it end.
            if (happened is ToolExecutingEvent && ++executing == 4) gates[3].SetResult(3);
            if (happened is ToolResultEvent { Id: "3" }) gates[2].SetResult(2);
            if (happened is ToolResultEvent { Id: "2" }) gates[1].SetResult(1);
            if (happened is ToolResultEvent { Id: "1" }) gates[0].SetResult(0);
            if (happened is ToolResultEvent { Id: "0" }) gates[4].SetResult(4);
        };
        await turn.RunAsync();
        turn.Stream.Replace("exec:4 ", "", StringComparison.Ordinal)
            .ShouldBe("call:0 call:1 call:2 call:3 call:4 exec:0 exec:1 exec:2 exec:3 result:3 result:2 result:1 result:0 result:4 'B'");
        turn.Events.FindIndex(happened => happened is ToolExecutingEvent { Id: "4" }).ShouldBeGreaterThan(turn.Events.FindIndex(happened => happened is ToolResultEvent { Id: "3" }));
        turn.Model.Requests[1].Messages[3].Contents.Cast<FunctionResultContent>().Select(result => result.Result).ShouldBe(["0", "1", "2", "3", "4"]);
    }

    [Fact]
    public async Task Events_of_parallel_calls_interleave_as_they_happen()
    {
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();
        var one = new TurnTool(new FakeTool("one", async (context, _, _) =>
        {
            context.EmitCustom("a", default);
            await second.Task;
            context.EmitCustom("c", default);
            return null;
        }));
        var two = new TurnTool(new FakeTool("two", async (context, _, _) =>
        {
            await first.Task;
            context.EmitClientEvent("b", default);
            return null;
        }));
        var turn = new Turn(Answer.Calls(("1", "one", "{}"), ("2", "two", "{}"))) { Tools = [one, two] };
        turn.OnEvent = happened =>
        {
            if (happened is CustomEvent { Kind: "a" }) first.SetResult();
            if (happened is ToolResultEvent { Id: "2" }) second.SetResult();
        };
        await turn.RunAsync();
        string.Join(" ", turn.Stream.Split(' ').Where(word => !word.StartsWith("exec", StringComparison.Ordinal))).ShouldBe("call:1 call:2 custom:a client:b result:2 custom:c result:1");
    }

    [Theory]
    [InlineData("nobody", "{}", "UNKNOWN_TOOL", "There is no tool")]
    [InlineData("secret", "{}", "TOOL_NOT_ALLOWED", "not available")]
    [InlineData("get_weather", "{\"city\":", "INVALID_ARGUMENTS", "not a JSON object")]
    [InlineData("get_weather", "[]", "INVALID_ARGUMENTS", "not a JSON object")]
    [InlineData("get_weather", "{\"city\":5}", "INVALID_ARGUMENTS", "/city: must be string")]
    [InlineData("get_weather", "{\"town\":\"Oslo\"}", "INVALID_ARGUMENTS", "'city' is missing")]
    public async Task Refused_calls_have_a_result_and_no_executing(string name, string arguments, string code, string detail)
    {
        var turn = new Turn(Answer.Calls(("1", name, arguments)), Answer.Says("B"))
        {
            Tools = [FakeTool.Running("get_weather", _ => throw new InvalidOperationException(), CitySchema), FakeTool.Returning("secret", 1)],
            Profile = new("p", ["get_*"]),
        };
        await turn.RunAsync();
        turn.Stream.ShouldBe("call:1 error:1 'B'");
        turn.ResultOf("1").Result.GetProperty("error").GetString().ShouldBe(code);
        turn.ResultOf("1").Result.GetProperty("detail").GetString()!.ShouldContain(detail);
        turn.Journal.ResultOf("1").ShouldBe(turn.ResultOf("1").Result.GetRawText());
        turn.State.Spans[1].Error.ShouldBe(code);
    }

    [Fact]
    public async Task Faults_of_a_tool_become_results_that_leak_nothing()
    {
        var turn = new Turn(Answer.Calls(("1", "known", "{}"), ("2", "late", "{}"), ("3", "broken", "{}"), ("4", "cyclic", "{}"), ("5", "half", "{}")), Answer.Says("B"))
        {
            Tools =
            [
                FakeTool.Running("known", _ => throw new ToolException("TOOL_HTTP_500", "Out of order")), FakeTool.Running("late", _ => throw new TaskCanceledException()),
                FakeTool.Running("broken", _ => throw new InvalidOperationException("password=1234")), FakeTool.Running("cyclic", _ => new Knot()),
                FakeTool.Running("half", _ => throw new ToolException("TOOL_FAILED", "half \ud83d")),
            ],
        };
        await turn.RunAsync();
        turn.Journal.ResultOf("1").ShouldBe("""{"error":"TOOL_HTTP_500","detail":"Out of order"}""");
        turn.Journal.ResultOf("2").ShouldStartWith("""{"error":"TOOL_TIMEOUT",""");
        turn.Journal.ResultOf("3").ShouldBe("""{"error":"TOOL_FAILED","detail":"The tool failed."}""");
        turn.Journal.ResultOf("4").ShouldBe("""{"error":"TOOL_FAILED","detail":"The tool failed."}""");
        turn.ResultOf("5").IsError.ShouldBeTrue();
        turn.Faults.Select(fault => fault.Tool).ShouldBe(["broken", "cyclic"], ignoreOrder: true);
        turn.Tokens.ShouldBe("B");
    }

    [Theory]
    [InlineData(null, "null", "null")]
    [InlineData("plain", "plain", "\"plain\"")]
    [InlineData("{\"a\":[1]}", "{\"a\":[1]}", "{\"a\":[1]}")]
    [InlineData("", "", "\"\"")]
    [InlineData("{broken", "{broken", "\"{broken\"")]
    [InlineData(true, "true", "true")]
    public async Task Results_are_json_when_they_can_be(object? returned, string content, string value)
    {
        var turn = await new Turn(Answer.Calls(("1", "get", "{}"))) { Tools = [FakeTool.Returning("get", returned)] }.RunAsync();
        turn.Journal.ResultOf("1").ShouldBe(content);
        turn.ResultOf("1").Result.GetRawText().ShouldBe(value);
    }

    [Fact]
    public async Task Big_results_are_cut_for_event_and_model()
    {
        var huge = JsonSerializer.Serialize(new { text = new string('é', 300_000) });
        var turn = await new Turn(Answer.Calls(("1", "get", "{}"))) { Tools = [FakeTool.Returning("get", huge)] }.RunAsync();
        var result = turn.ResultOf("1");
        (result.Truncated, result.Result.ValueKind).ShouldBe((true, JsonValueKind.String));
        System.Text.Encoding.UTF8.GetByteCount(result.Result.GetString()!).ShouldBeInRange(65_500, 65_536);
        turn.Journal.ResultOf("1").Length.ShouldBe(100_000);
        var output = turn.State.Spans[1].Output!.Value;
        output.GetProperty("truncated").GetBoolean().ShouldBeTrue();
        output.GetProperty("bytes").GetInt32().ShouldBeGreaterThan(256 * 1024);
    }

    [Fact]
    public async Task Custom_events_end_at_twenty_and_with_the_call()
    {
        ToolContext late = null!;
        var tool = FakeTool.Running("get", context =>
        {
            late = context;
            for (var i = 0; i < 30; i++) context.EmitCustom("k", default);
            return null;
        });
        var open = new TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var turn = new Turn(Answer.Calls(("1", "get", "{}"), ("2", "open", "{}")), Answer.Says("B")) { Tools = [tool, FakeTool.Waiting("open", _ => open.Task)] };
        turn.OnEvent = happened =>
        {
            if (happened is not ToolResultEvent { Id: "1" }) return;
            late.EmitCustom("late", default);
            late.EmitClientEvent("late", default);
            open.SetResult(null);
        };
        await turn.RunAsync();
        turn.Events.OfType<ClientEvent>().ShouldBeEmpty();
        turn.Events.OfType<CustomEvent>().Count().ShouldBe(20);
        turn.Events.OfType<CustomEvent>().ShouldAllBe(custom => custom.ToolCallId == "1" && custom.Kind == "k");
    }

    [Fact]
    public async Task Ids_that_are_empty_or_taken_are_replaced()
    {
        var turn = new Turn(Answer.Calls(("", "get", "{}"), ("x", "get", "{}"), ("x", "get", "{}"), ("old", "get", "{}")), Answer.Calls(("x", "get", "{}"))) { Tools = [Get], Prompt = [new(ChatRole.Assistant, [Call("old")])] };
        await turn.RunAsync();
        var ids = turn.Events.OfType<ToolCallEvent>().Select(call => call.Id).ToList();
        ids.Distinct().Count().ShouldBe(5);
        ids[1].ShouldBe("x");
        ids.Where(id => id != "x").ShouldAllBe(id => id.StartsWith("call_"));
        turn.Events.OfType<ToolResultEvent>().Select(result => result.Id).ShouldBe(ids, ignoreOrder: true);
        turn.Journal.Open().ShouldBeEmpty();
    }

    [Fact]
    public async Task Invented_names_are_made_harmless()
    {
        var turn = await new Turn(Answer.Calls(("1", "func.tions/get it", "{}"), ("2", "", "{}"))) { Tools = [Get] }.RunAsync();
        turn.Events.OfType<ToolCallEvent>().Select(call => call.Name).ShouldBe(["func_tions_get_it", "unknown"]);
    }

    private sealed class Knot
    {
        public Knot Self => this;
    }
}
