using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    private static readonly AnswerFormat City = AnswerFormat.Of(JsonElement.Parse(CitySchema));

    [Fact]
    public async Task An_answer_with_a_format_is_told_in_one_piece_with_its_value()
    {
        var turn = await new Turn(Answer.Says(" {\"city\":", "\"Oslo\"}\n")) { Format = City }.RunAsync();
        turn.Stream.ShouldBe("'{\"city\":\"Oslo\"}'");
        turn.State.Output!.Value.GetProperty("city").GetString().ShouldBe("Oslo");
        turn.State.Outcome!.FinishReason.ShouldBe("stop");
    }

    [Theory]
    [InlineData("```json\n[1, 2]\n```", "[1, 2]")]
    [InlineData("```\n[1]```", "[1]")]
    [InlineData("Here it is:\n\n```JSON\n{\"a\":\"```\"}\n```\nDone.", "{\"a\":\"```\"}")]
    [InlineData("\"```\"", "\"```\"")]
    [InlineData(" null ", "null")]
    public async Task What_stands_around_the_value_is_left_out(string said, string told)
    {
        var turn = await new Turn(Answer.Says(said)) { Format = AnswerFormat.AnyJson }.RunAsync();
        turn.Tokens.ShouldBe(told);
        turn.State.Output!.Value.GetRawText().ShouldBe(told);
    }

    [Theory]
    [InlineData("Oslo", "the answer: is not one valid JSON value")]
    [InlineData("{\"city\":\"Os", "the answer: is not one valid JSON value")]
    [InlineData("{\"city\":\"\\ud83d\"}", "the answer: is not one valid JSON value")]
    [InlineData("{\"city\":5}", "/city: must be string")]
    [InlineData("{}", "the answer: 'city' is missing")]
    public async Task A_faulty_answer_is_corrected_without_tools_and_nobody_is_told(string faulty, string fault)
    {
        var usage = new UsageContent(new() { InputTokenCount = 10, OutputTokenCount = 2 });
        var turn = new Turn(Answer.Calls(("1", "get", "{}")).With(usage), Answer.Says(faulty).With(usage), Answer.Says("{\"city\":\"Oslo\"}").With(usage)) { Tools = [Get], Format = City };
        await turn.RunAsync();
        turn.Stream.ShouldBe("call:1 exec:1 result:1 '{\"city\":\"Oslo\"}'");
        turn.State.Outcome!.FinishReason.ShouldBe("stop");
        turn.State.Usage.ShouldBe(new(30, 6, 0, 0));
        var (messages, options) = turn.Model.Requests[2];
        options.Tools.ShouldBeNull();
        messages[..^2].ShouldBe(turn.Model.Requests[1].Messages);
        (messages[^2].Role, messages[^2].Text).ShouldBe((ChatRole.Assistant, faulty));
        messages[^1].Role.ShouldBe(ChatRole.User);
        messages[^1].Text.ShouldContain($"\n- {fault}");
        var calls = turn.State.Spans.Where(span => span.Kind == "llm").ToList();
        calls.Select(span => span.Error).ShouldBe([null, "OUTPUT_SCHEMA_MISMATCH", null]);
        calls[1].Output!.Value.GetProperty("content").GetString().ShouldBe(faulty);
        // Each span shows what is new to it: the faulty answer and what the model was told of it.
        calls[2].Input!.Value.EnumerateArray().Select(message => message.GetProperty("role").GetString()).ShouldBe(["assistant", "user"]);
        // A repair is no part of what the conversation goes on with.
        turn.State.Added.Count.ShouldBe(2);
    }

    [Fact]
    public async Task After_two_repairs_the_turn_fails_and_keeps_the_last_text_untold()
    {
        var turn = new Turn(Answer.Says("one"), Answer.Says(""), Answer.Says("three"), Answer.Says("{}")) { Format = AnswerFormat.AnyJson, Untold = "three" };
        var fault = await Should.ThrowAsync<ModelException>(() => turn.RunAsync());
        (fault.Code, fault.Message).ShouldBe(("OUTPUT_SCHEMA_MISMATCH", "The answer does not meet responseFormat after 2 repairs:\n- the answer: is not one valid JSON value"));
        turn.Events.ShouldBeEmpty();
        turn.State.Output.ShouldBeNull();
        turn.State.Spans.Select(span => span.Error).ShouldBe(Enumerable.Repeat("OUTPUT_SCHEMA_MISMATCH", 3));
        turn.Model.Requests.Select(request => request.Messages.Count).ShouldBe([2, 4, 5], "an answer without text is no message");
    }

    [Fact]
    public async Task Text_before_tool_calls_stays_with_its_step_when_there_is_a_format()
    {
        var turn = await new Turn(Answer.Says("Let me look.").With(Call("1")), Answer.Says("{}")) { Tools = [Get], Format = AnswerFormat.AnyJson }.RunAsync();
        turn.Stream.ShouldBe("call:1 exec:1 result:1 '{}'");
        turn.Journal.Steps.ShouldHaveSingleItem().Text.ShouldBe("Let me look.");
        turn.Model.Requests[1].Messages[2].Text.ShouldBe("Let me look.");
        turn.State.TailStart.ShouldBe(0);
    }

    [Fact]
    public async Task An_answer_cut_off_at_the_limit_is_asked_for_in_short()
    {
        var turn = await new Turn(Answer.Says("[1,") with { Finish = ChatFinishReason.Length }, Answer.Says("[1]")) { Format = AnswerFormat.AnyJson }.RunAsync();
        turn.Tokens.ShouldBe("[1]");
        turn.Model.Requests[1].Messages[^1].Text.ShouldContain("has to be shorter");
    }

    [Fact]
    public async Task The_last_answer_after_the_tool_limit_has_the_format_too()
    {
        var turn = await new Turn(Answer.Calls(("1", "get", "{}")), Answer.Says("Sorry."), Answer.Says("{}")) { Tools = [Get], MaxToolCalls = 0, Format = AnswerFormat.AnyJson }.RunAsync();
        turn.Stream.ShouldBe("call:1 error:1 '{}'");
        turn.State.Outcome!.FinishReason.ShouldBe("tool_limit");
    }

    [Fact]
    public async Task A_stop_tells_nothing_of_an_answer_with_a_format()
    {
        using var stop = new CancellationTokenSource();
        // The change of model is the one thing told while an answer is held back: here it says that the text before it has come.
        var turn = new Turn(new Answer(new TextContent("{\"city\":"), new ModelFallbackContent("test-1", "test-2", 404)) { Hold = new TaskCompletionSource().Task }) { Format = City };
        turn.OnEvent = _ => stop.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => turn.RunUntilAsync(stop.Token));
        turn.State.Text.Length.ShouldBe(0);
        turn.State.Spans.ShouldHaveSingleItem().Output!.Value.GetProperty("content").GetString().ShouldBe("{\"city\":");
        turn.State.Output.ShouldBeNull();
    }
}
