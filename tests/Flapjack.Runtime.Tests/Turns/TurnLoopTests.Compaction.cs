using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    private static CompactionContent Summary => new("What was said.", "opaque", 150_001, 900);

    [Fact]
    public async Task A_summary_of_the_provider_is_told_and_kept_with_the_answer()
    {
        var turn = new Turn(Answer.Says("Hello").With(Summary));
        await turn.RunAsync();
        turn.Stream.ShouldBe("'Hello' client:compaction");
        turn.State.TailCompaction.ShouldNotBeNull().Text.ShouldBe("What was said.");
        turn.State.Outcome!.FinishReason.ShouldBe("stop");
    }

    [Fact]
    public async Task A_summary_before_a_call_is_journalled_with_its_step_and_sent_back()
    {
        var turn = new Turn(Answer.Calls(("1", "get", "{}")).With(Summary), Answer.Says("Done")) { Tools = [Get] };
        await turn.RunAsync();
        var step = turn.Journal.Steps.ShouldHaveSingleItem();
        step.Compaction.ShouldNotBeNull().BeforeTokens.ShouldBe(150_001);
        var head = turn.Model.Requests[1].Messages[2].Contents[0].ShouldBeOfType<TextContent>();
        (head.Text, CompactionContent.Is(head), CompactionContent.DataOf(head)).ShouldBe(("What was said.", true, "opaque"));
        turn.State.TailCompaction.ShouldBeNull();
    }

    [Fact]
    public async Task A_provider_that_pauses_after_its_summary_ends_the_turn()
    {
        var turn = new Turn(new Answer(Summary) { Finish = CompactionContent.Paused });
        await turn.RunAsync();
        turn.Stream.ShouldBe("client:compaction client:compaction_paused");
        turn.State.Outcome!.FinishReason.ShouldBe("compaction_paused");
        turn.Journal.Steps.ShouldHaveSingleItem().Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_tool_that_settles_books_what_it_used_after_a_stop()
    {
        using var stop = new CancellationTokenSource();
        var tool = new TurnTool(new FakeTool("ask", async (context, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Yield();
            context.AddUsage(new(10, 5), 0.25m);
            throw new OperationCanceledException(token);
        }), Settles: true);
        var turn = new Turn(Answer.Calls(("1", "ask", "{}"))) { Tools = [tool] };
        turn.OnEvent = happened =>
        {
            if (happened is ToolExecutingEvent) stop.Cancel();
        };
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        (turn.State.Usage.InputTokens, turn.State.CostUsd).ShouldBe((10, 0.25m));
        turn.Journal.ResultOf("1").ShouldContain("CANCELLED");
    }

    [Fact]
    public async Task A_tool_that_never_settles_holds_a_stop_for_a_second_only()
    {
        using var stop = new CancellationTokenSource();
        var tool = new TurnTool(new FakeTool("deaf", (_, _, _) => new(new TaskCompletionSource<object?>().Task)), Settles: true);
        var turn = new Turn(Answer.Calls(("1", "deaf", "{}"))) { Tools = [tool] };
        turn.OnEvent = happened =>
        {
            if (happened is ToolExecutingEvent) stop.Cancel();
        };
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        turn.Journal.ResultOf("1").ShouldContain("CANCELLED");
    }
}
