using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    [Fact]
    public async Task An_interrupted_step_repeats_idempotent_calls_only()
    {
        var made = new List<string>();
        TurnTool Counting(string name) => FakeTool.Running(name, context =>
        {
            made.Add($"{name}:{context.ToolCallId}");
            return "again";
        });
        var turn = new Turn(Answer.Says("Fine."))
        {
            Tools = [Counting("send"), Counting("find") with { Idempotent = true }],
            Interrupted = Left([("1", "send"), ("2", "find"), ("3", "send")], new TurnCallResult("3", "sent", false)),
        };
        await turn.RunAsync();
        made.ShouldBe(["find:2"]);
        turn.Stream.ShouldBe("call:1 error:1 call:2 exec:2 result:2 'Fine.'");
        turn.Journal.Steps.ShouldBeEmpty();
        turn.Journal.Results.Select(r => r.CallId).ShouldBe(["1", "2"]);
        turn.Journal.ResultOf("1").ShouldContain("OUTCOME_UNKNOWN");
        var results = turn.Model.Requests[0].Messages[^1].Contents.OfType<FunctionResultContent>().ToList();
        results.Select(r => r.CallId).ShouldBe(["1", "2", "3"]);
        results[2].Result.ShouldBe("sent");
    }

    [Fact]
    public async Task An_interrupted_step_with_client_calls_waits_for_the_client()
    {
        var turn = new Turn { Tools = [FakeTool.Returning("send", "x")], ClientTools = ["pick"], Interrupted = Left([("1", "send"), ("c", "pick")]) };
        await turn.RunAsync();
        turn.Model.Requests.ShouldBeEmpty();
        turn.State.Outcome!.PendingCalls.ShouldHaveSingleItem().Id.ShouldBe("c");
        turn.Journal.Results.ShouldHaveSingleItem().Content.ShouldContain("OUTCOME_UNKNOWN");
    }

    [Fact]
    public async Task A_turn_that_goes_on_elsewhere_leaves_cut_off_calls_open()
    {
        using var stop = new CancellationTokenSource();
        var turn = new Turn(Answer.Calls(("1", "done", "{}"), ("2", "wait", "{}")))
        {
            Tools = [FakeTool.Returning("done", "x"), FakeTool.Waiting("wait", async token => { await Task.Delay(Timeout.Infinite, token); return null; })],
        };
        turn.OnEvent = happened =>
        {
            if (happened is not ToolResultEvent) return;
            turn.State.LeavesCallsOpen = true;
            stop.Cancel();
        };
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        turn.Journal.Results.ShouldHaveSingleItem().CallId.ShouldBe("1");
        turn.Journal.Open().ShouldBe(["2"]);
    }

    private static InterruptedStep Left((string Id, string Name)[] calls, params TurnCallResult[] results) =>
        new(new("", null, [.. calls.Select(call => new TurnCall(call.Id, call.Name, "{}", call.Name == "pick"))]), results);
}
