using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;

namespace Flapjack.Runtime.Tests.Turns;

public sealed partial class TurnLoopTests
{
    [Fact]
    public async Task Surplus_calls_are_refused_and_the_last_answer_has_no_tools()
    {
        var turn = new Turn(Answer.Calls(("1", "get", "{}"), ("2", "get", "{}"), ("3", "get", "{}")), Answer.Says("Enough")) { Tools = [Get], MaxToolCalls = 2 };
        await turn.RunAsync();
        turn.Events.OfType<ToolResultEvent>().Where(result => result.IsError).ShouldHaveSingleItem().Id.ShouldBe("3");
        turn.Journal.ResultOf("3").ShouldContain("TOOL_LIMIT_REACHED");
        turn.Model.Requests.Select(request => request.Options.Tools?.Count).ShouldBe([1, null]);
        turn.Tokens.ShouldBe("Enough");
        (turn.State.Outcome!.FinishReason, turn.State.ToolCallsUsed).ShouldBe(("tool_limit", 2));
    }

    [Fact]
    public async Task Calls_in_the_last_answer_are_ignored()
    {
        var turn = new Turn(Answer.Calls(("1", "get", "{}")), Answer.Says("Enough").With(Call("2"))) { Tools = [Get], MaxToolCalls = 0 };
        await turn.RunAsync();
        turn.Stream.ShouldBe("call:1 error:1 'Enough'");
        turn.State.Outcome!.FinishReason.ShouldBe("tool_limit");
    }

    [Fact]
    public async Task Refused_calls_count_so_that_wrong_calling_ends()
    {
        var turn = new Turn([.. Enumerable.Range(0, 100).Select(i => Answer.Calls(($"{i}", "nobody", "{}")))]) { MaxToolCalls = 3 };
        await turn.RunAsync();
        turn.Model.Requests.Count.ShouldBe(5);
        turn.State.Outcome!.FinishReason.ShouldBe("tool_limit");
    }

    [Fact]
    public async Task Client_calls_end_the_stream_pending_and_emit_nothing()
    {
        var turn = new Turn(Answer.Says("A").With(Call("1", "pick", "{\"a\":1}"))) { ClientTools = ["pick"] };
        await turn.RunAsync();
        turn.Stream.ShouldBe("'A'");
        turn.State.Outcome!.FinishReason.ShouldBeNull();
        turn.State.Outcome.PendingCalls.ShouldBe([new TurnCall("1", "pick", "{\"a\":1}", true)]);
        (turn.State.ClientRounds, turn.State.TailStart).ShouldBe((1, 1));
        turn.Journal.Steps.ShouldHaveSingleItem().Text.ShouldBe("A");
    }

    [Fact]
    public async Task In_a_mixed_step_server_calls_finish_first()
    {
        var turn = new Turn(Answer.Calls(("1", "pick", "{}"), ("2", "get", "{}"), ("3", "nobody", "{}"))) { ClientTools = ["pick"], Tools = [Get, FakeTool.Returning("pick", 1)] };
        await turn.RunAsync();
        turn.Stream.ShouldBe("call:2 call:3 error:3 exec:2 result:2");
        turn.State.Outcome!.PendingCalls.ShouldHaveSingleItem().Id.ShouldBe("1");
        turn.Journal.Open(clientSide: true).ShouldBe(["1"]);
        turn.State.Added.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_twenty_sixth_client_round_ends_the_turn()
    {
        var turn = await new Turn(Answer.Calls(("1", "pick", "{}"))) { ClientTools = ["pick"], EarlierRounds = 25 }.RunAsync();
        (turn.State.Outcome!.FinishReason, turn.State.Outcome.PendingCalls.Count).ShouldBe(("tool_limit", 0));
        turn.Journal.ResultOf("1").ShouldContain("TOOL_LIMIT_REACHED");
        (await new Turn(Answer.Calls(("1", "pick", "{}"))) { ClientTools = ["pick"], EarlierRounds = 24 }.RunAsync()).State.Outcome!.PendingCalls.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_auth_challenge_ends_the_turn_after_its_step()
    {
        var asking = FakeTool.Running("mail", context =>
        {
            context.Challenge(new("Mail", "https://mail.example.com/authorise"));
            context.Challenge(new("Other", "https://other.example.com"));
            return "never read";
        });
        var turn = new Turn(Answer.Says("A").With(Call("1", "mail"), Call("2"), Call("3", "pick"))) { Tools = [asking, Get], ClientTools = ["pick"] };
        await turn.RunAsync();
        var words = turn.Stream.Split(' ').ToList();
        turn.Events.OfType<AuthChallengeEvent>().ShouldHaveSingleItem().Challenge.Provider.ShouldBe("Mail");
        words.IndexOf("auth:1").ShouldBeInRange(words.IndexOf("exec:1"), words.IndexOf("error:1"));
        words.ShouldContain("result:2");
        turn.Journal.ResultOf("1").ShouldBe("""{"error":"AUTH_REQUIRED","provider":"Mail"}""");
        turn.Journal.ResultOf("3").ShouldContain("CANCELLED");
        (turn.State.Outcome!.FinishReason, turn.State.Outcome.PendingCalls.Count).ShouldBe(("auth_challenge", 0));
        turn.Model.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_profile_proposal_follows_its_result()
    {
        var tool = ProposeProfileSwitch.Create([new("triage", []), new("full", ["*"])], "triage")!;
        var turn = new Turn(Answer.Calls(("1", ProposeProfileSwitch.Name, """{"target":"full","reason":"must write"}"""), ("2", "get", "{}")), Answer.Says("B"))
        {
            Tools = [Get, tool],
            Profile = new("triage", []),
        };
        await turn.RunAsync();
        turn.Model.Requests[0].Options.Tools!.ShouldHaveSingleItem().Name.ShouldBe(ProposeProfileSwitch.Name);
        turn.Stream.ShouldBe("call:1 call:2 error:2 exec:1 result:1 proposal:full 'B'");
        turn.ResultOf("1").Result.GetRawText().ShouldBe("""{"proposed":true}""");
        turn.Events.OfType<ProfileSwitchProposalEvent>().Single().Reason.ShouldBe("must write");
    }

    [Fact]
    public async Task Spans_tell_the_turn_without_repeating_it()
    {
        var tool = new TurnTool(new FakeTool("get", (_, _, _) => new("done")), SpanKind: "mcp");
        var turn = new Turn(Answer.Says("A").With(Call("1", "get", "{\"a\":1}")), Answer.Says("B")) { Tools = [tool], TracedMessages = 1 };
        await turn.RunAsync();
        turn.State.Spans.Select(span => span.Kind).ShouldBe(["llm", "mcp", "llm"]);
        turn.State.Spans[0].Input!.Value.GetRawText().ShouldBe("""[{"role":"user","content":"Hello"}]""");
        turn.State.Spans[0].Output!.Value.GetRawText().ShouldBe("""{"content":"A","tool_calls":[{"id":"1","name":"get","arguments":"{\"a\":1}"}],"finish_reason":"tool_calls"}""");
        turn.State.Spans[0].Model.ShouldBe(new("test-1", 0.5f, 100, default, null, 1));
        (turn.State.Spans[1].Input!.Value.GetRawText(), turn.State.Spans[1].Output!.Value.GetRawText()).ShouldBe(("{\"a\":1}", "\"done\""));
        turn.State.Spans[2].Input!.Value.GetRawText().ShouldBe(
            """[{"role":"assistant","content":"A","tool_calls":[{"id":"1","name":"get","arguments":"{\"a\":1}"}]},{"role":"tool","tool_call_id":"1","content":"done"}]""");
        turn.State.Spans[2].Model!.HistoryMessages.ShouldBe(2);
    }
}
