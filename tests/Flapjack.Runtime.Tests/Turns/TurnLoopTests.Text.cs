using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    [Fact]
    public async Task Text_streams_as_tokens_and_ends_with_stop()
    {
        var turn = await new Turn(Answer.Says("Hel", "", "lo")).RunAsync();
        turn.Stream.ShouldBe("'Hel' 'lo'");
        turn.State.Outcome.ShouldNotBeNull().FinishReason.ShouldBe("stop");
        turn.State.AnsweredBy.ShouldBe("test-1");
        turn.State.TailStart.ShouldBe(0);
    }

    [Fact]
    public async Task Token_limit_of_the_model_ends_with_length() =>
        (await new Turn(Answer.Says("Hel") with { Finish = ChatFinishReason.Length }).RunAsync()).State.Outcome!.FinishReason.ShouldBe("length");

    [Fact]
    public async Task Content_filter_fails_the_turn_and_keeps_its_text()
    {
        var turn = new Turn(Answer.Says("Hel") with { Finish = ChatFinishReason.ContentFilter });
        (await Should.ThrowAsync<ModelException>(() => turn.RunAsync())).Code.ShouldBe("CONTENT_FILTERED");
        turn.Tokens.ShouldBe("Hel");
        turn.State.Outcome.ShouldBeNull();
        turn.State.Spans.ShouldHaveSingleItem().Error.ShouldBe("CONTENT_FILTERED");
    }

    [Fact]
    public async Task Joint_stands_between_text_before_and_after_a_tool_step()
    {
        var turn = new Turn(Answer.Says("A").With(Call("1")), Answer.Calls(("2", "get", "{}")), Answer.Says("B", "C")) { Tools = [Get] };
        await turn.RunAsync();
        turn.Stream.ShouldBe("'A' call:1 exec:1 result:1 call:2 exec:2 result:2 '||' 'B' 'C'");
        turn.State.Text.ToString(turn.State.TailStart, 2).ShouldBe("BC");
        turn.Journal.Steps.Select(step => step.Text).ShouldBe(["A", ""]);
    }

    [Fact]
    public async Task No_joint_when_one_side_has_no_text()
    {
        (await new Turn(Answer.Calls(("1", "get", "{}")), Answer.Says("B")) { Tools = [Get] }.RunAsync()).Tokens.ShouldBe("B");
        var turn = await new Turn(Answer.Says("A").With(Call("1")), Answer.Says("")) { Tools = [Get] }.RunAsync();
        turn.Tokens.ShouldBe("A");
        turn.State.TailStart.ShouldBe(1);
    }

    [Fact]
    public async Task Joint_stands_between_two_streams_of_one_turn()
    {
        var turn = await new Turn(Answer.Says("B")) { EarlierText = "A" }.RunAsync();
        turn.Stream.ShouldBe("'||' 'B'");
        turn.State.Text.ToString()[turn.State.TailStart..].ShouldBe("B");
    }

    [Fact]
    public async Task Usage_and_cost_are_summed_over_all_model_calls()
    {
        var details = new UsageDetails { InputTokenCount = 100, OutputTokenCount = 10, CachedInputTokenCount = 20, AdditionalCounts = new() { [ModelUsage.CacheWriteCount] = 30 } };
        var turn = new Turn(Answer.Calls(("1", "get", "{}")).With(new UsageContent(details)), Answer.Says("B").With(new UsageContent(details)))
        {
            Tools = [Get],
            PriceOf = model => model == "test-1" ? new(1_000_000, 0) : null,
        };
        await turn.RunAsync();
        turn.State.Usage.ShouldBe(new(200, 20, 40, 60));
        turn.State.CostUsd.ShouldBe(200);
        turn.State.Spans.Where(span => span.Kind == "llm").Select(span => span.Model!.CostUsd).ShouldBe([100, 100]);
    }

    [Fact]
    public async Task Fallback_is_told_and_the_model_that_answered_is_priced()
    {
        var turn = new Turn(new Answer(new ModelFallbackContent("test-1", "test-2", 404), new TextContent("Hi"), new UsageContent(new() { InputTokenCount = 1 })))
        {
            PriceOf = model => model == "test-2" ? new(1_000_000, 0) : null,
        };
        await turn.RunAsync();
        turn.Stream.ShouldBe("client:model_fallback 'Hi'");
        ((ClientEvent)turn.Events[0]).Payload.GetRawText().ShouldBe("""{"from":"test-1","to":"test-2","status":404}""");
        turn.State.AnsweredBy.ShouldBe("test-2");
        turn.State.CostUsd.ShouldBe(1);
    }

    [Fact]
    public async Task Model_failure_after_text_keeps_the_text()
    {
        var turn = new Turn(Answer.Says("Hel") with { Failure = new ModelException(ModelErrors.Unavailable, "Broke off.") });
        (await Should.ThrowAsync<ModelException>(() => turn.RunAsync())).Code.ShouldBe("MODEL_UNAVAILABLE");
        turn.State.Text.ToString()[turn.State.TailStart..].ShouldBe("Hel");
        turn.State.Outcome.ShouldBeNull();
        var span = turn.State.Spans.ShouldHaveSingleItem();
        span.Error.ShouldBe("MODEL_UNAVAILABLE");
        span.Output!.Value.GetProperty("content").GetString().ShouldBe("Hel");
    }

    [Fact]
    public async Task Timeout_inside_the_provider_is_an_unavailable_model() =>
        (await Should.ThrowAsync<ModelException>(() => new Turn(new Answer { Failure = new TaskCanceledException() }).RunAsync())).Code.ShouldBe("MODEL_UNAVAILABLE");

    [Fact]
    public async Task Signed_reasoning_is_kept_with_its_step()
    {
        var turn = new Turn(new Answer(new TextReasoningContent("Let me "), new TextReasoningContent("see"), new TextReasoningContent("") { ProtectedData = "sig" }, Call("1")), Answer.Says("B")) { Tools = [Get] };
        await turn.RunAsync();
        var stored = SignedReasoning.Parse(turn.Journal.Steps[0].Reasoning).ShouldHaveSingleItem().ShouldBeOfType<TextReasoningContent>();
        (stored.Text, stored.ProtectedData).ShouldBe(("Let me see", "sig"));
        turn.Model.Requests[1].Messages[2].Contents[0].ShouldBeOfType<TextReasoningContent>().ProtectedData.ShouldBe("sig");
    }

    private static FunctionCallContent Call(string id, string name = "get", string arguments = "{}") => ToolCallArguments.Create(id, name, arguments);
}
