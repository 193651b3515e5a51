using Flapjack.Runtime.Turns;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    [Fact]
    public async Task A_stop_while_the_model_streams_keeps_the_text()
    {
        using var stop = new CancellationTokenSource();
        var turn = new Turn(Answer.Says("Hel") with { Hold = new TaskCompletionSource().Task }) { OnEvent = _ => stop.Cancel() };
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        turn.State.Text.ToString().ShouldBe("Hel");
        turn.State.Outcome.ShouldBeNull();
        turn.State.Spans.ShouldHaveSingleItem().Error.ShouldBeNull();
    }

    [Fact]
    public async Task A_stop_cancels_running_tools_and_answers_every_call()
    {
        using var stop = new CancellationTokenSource();
        var cancelled = 0;
        var tool = FakeTool.Waiting("wait", async token =>
        {
            var never = new TaskCompletionSource<object?>();
            await using var _ = token.Register(() =>
            {
                Interlocked.Increment(ref cancelled);
                never.SetCanceled(token);
            });
            return await never.Task;
        });
        var executing = 0;
        var turn = new Turn(Answer.Calls([.. Enumerable.Range(0, 6).Select(i => ($"{i}", "wait", "{}")), ("c", "pick", "{}")])) { Tools = [tool], ClientTools = ["pick"] };
        turn.OnEvent = happened =>
        {
            if (happened is ToolExecutingEvent && ++executing == 4) stop.Cancel();
        };
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        turn.Journal.Open(clientSide: true).ShouldBeEmpty();
        turn.Journal.Results.ShouldAllBe(result => result.IsError && result.Content.Contains("CANCELLED"));
        turn.State.Added.Count.ShouldBe(2);
        turn.State.Spans.Count(span => span.Error == "CANCELLED").ShouldBe(4);
    }

    [Fact]
    public async Task A_tool_that_ignores_the_stop_does_not_hold_it()
    {
        using var stop = new CancellationTokenSource();
        var never = new TaskCompletionSource<object?>();
        var turn = new Turn(Answer.Calls(("1", "deaf", "{}"))) { Tools = [FakeTool.Waiting("deaf", _ => never.Task)] };
        turn.OnEvent = happened =>
        {
            if (happened is ToolExecutingEvent) stop.Cancel();
        };
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        turn.Journal.ResultOf("1").ShouldContain("CANCELLED");
    }

    [Fact]
    public async Task A_reader_that_leaves_stops_the_tools()
    {
        var turn = new Turn(Answer.Calls(("1", "wait", "{}"))) { Tools = [FakeTool.Waiting("wait", async stop => { await Task.Delay(Timeout.Infinite, stop); return null; })] };
        await foreach (var happened in new TurnLoop(TimeProvider.System).RunAsync(turn.State, TestContext.Current.CancellationToken))
        {
            if (happened is ToolExecutingEvent) break;
        }
        turn.Journal.ResultOf("1").ShouldContain("CANCELLED");
        turn.State.Outcome.ShouldBeNull();
    }

    [Fact]
    public async Task A_journal_that_refuses_the_step_keeps_the_calls_from_being_made()
    {
        var made = false;
        var turn = new Turn(Answer.Says("A").With(Call("1"))) { Tools = [FakeTool.Running("get", _ => made = true)] };
        turn.Journal.FailingStep = new IOException();
        await Should.ThrowAsync<IOException>(() => turn.RunAsync());
        made.ShouldBeFalse();
        turn.State.TailStart.ShouldBe(0);
        turn.State.Added.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_journal_that_loses_a_result_ends_the_turn_before_it_is_told()
    {
        var turn = new Turn(Answer.Calls(("1", "get", "{}"), ("2", "wait", "{}")))
        {
            Tools = [Get, FakeTool.Waiting("wait", async stop => { await Task.Delay(Timeout.Infinite, stop); return null; })],
        };
        turn.Journal.Failing = result => result.CallId == "1" ? new IOException() : null;
        await Should.ThrowAsync<IOException>(() => turn.RunAsync());
        turn.Events.OfType<ToolResultEvent>().ShouldBeEmpty();
        turn.Journal.ResultOf("2").ShouldContain("CANCELLED");
    }

    [Fact]
    public async Task A_turn_stopped_before_it_began_asks_nobody()
    {
        var turn = new Turn(Answer.Says("A"));
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(new(true)));
        turn.Model.Requests.ShouldBeEmpty();
    }
}
