using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

/// <summary>What holds for any script: random texts, random calls (good, wrong, blocked, failing, client-side, with equal ids), random limits and stops.</summary>
public sealed class TurnLoopProperties
{
    private static readonly Gen<string> Deltas = Gen.Elements("", "a", "bc", "é\ud83d\ude00", "\n\n");
    private static readonly Gen<(string, string, string)> CallsGen =
        from id in Gen.Elements("", "x", "y", "z")
        from name in Gen.Elements("good", "good", "bad", "chatty", "slow", "blocked", "nobody", "pick", "mail")
        from arguments in Gen.Frequency((8, Gen.Constant("{}")), (1, Gen.Constant("{")), (1, Gen.Constant("[1]")))
        select (id, name, arguments);
    private static readonly Gen<Answer> Answers =
        from deltas in Deltas.ListOf(3)
        from count in Gen.Elements(0, 1, 1, 2, 6)
        from calls in CallsGen.ListOf(count)
        select Answer.Says([.. deltas]).With(Answer.Calls([.. calls]).Contents);
    private static readonly Gen<(Answer[] Script, int Limit, int StopAt)> Scripts =
        from length in Gen.Choose(1, 6)
        from script in Answers.ListOf(length)
        from limit in Gen.Choose(0, 8)
        from stop in Gen.Choose(0, 25)
        select (script.ToArray(), limit, stop);

    [Fact]
    public void Any_script_obeys_the_rules() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Scripts.ToArbitrary(), input => ObeysAsync(input.Script, input.Limit).GetAwaiter().GetResult()));

    [Fact]
    public void Any_stop_leaves_no_call_without_result() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Scripts.ToArbitrary(), input => StopsAsync(input.Script, input.Limit, input.StopAt).GetAwaiter().GetResult()));

    private static async Task ObeysAsync(Answer[] script, int limit)
    {
        var turn = await TurnOf(script, limit).RunAsync();
        var outcome = turn.State.Outcome.ShouldNotBeNull();
        ShouldBeOrdered(turn);
        var open = turn.Journal.Open(clientSide: true).ToList();
        open.ShouldBe(outcome.PendingCalls.Select(call => call.Id));
        turn.Events.OfType<ToolExecutingEvent>().Count().ShouldBeLessThanOrEqualTo(limit);
        // The texts of the steps and the tail, joined, are the text of the turn.
        var parts = turn.Journal.Steps.Select(step => step.Text).Append(turn.State.Text.ToString(turn.State.TailStart, turn.State.Text.Length - turn.State.TailStart));
        string.Join(TurnLoop.Joint, parts.Where(part => part.Length > 0)).ShouldBe(turn.Tokens);
        AnsweredInOrder(turn);
    }

    private static async Task StopsAsync(Answer[] script, int limit, int stopAt)
    {
        using var stop = new CancellationTokenSource();
        var turn = TurnOf(script, limit);
        turn.OnEvent = _ =>
        {
            if (turn.Events.Count == stopAt) stop.Cancel();
        };
        try
        {
            await turn.RunUntilAsync(stop.Token);
        }
        catch (OperationCanceledException)
        {
            turn.State.Outcome.ShouldBeNull();
        }
        turn.Journal.Open(clientSide: turn.State.Outcome is null).ShouldBeEmpty();
        turn.Journal.Results.Select(result => result.CallId).ShouldBeUnique();
        AnsweredInOrder(turn);
    }

    // tool_call, then executing, then custom, then a challenge, then the result; a refused call has only the first and the last.
    private static void ShouldBeOrdered(Turn turn)
    {
        var stage = new Dictionary<string, int>();
        foreach (var happened in turn.Events)
        {
            var (id, from, to) = happened switch
            {
                ToolCallEvent call => (call.Id, 0, 1),
                ToolExecutingEvent executing => (executing.Id, 1, 2),
                CustomEvent custom => (custom.ToolCallId!, 2, 2),
                AuthChallengeEvent challenge => (challenge.ToolCallId, 2, 3),
                ToolResultEvent { IsError: true } result => (result.Id, stage[result.Id], 9),
                ToolResultEvent result => (result.Id, 2, 9),
                _ => ("", 0, 0),
            };
            if (happened is TokenEvent) stage.Values.ShouldAllBe(reached => reached == 9);
            else stage.GetValueOrDefault(id).ShouldBe(from);
            if (id.Length > 0) stage[id] = to;
        }
        stage.Values.ShouldAllBe(reached => reached == 9);
    }

    private static void AnsweredInOrder(Turn turn)
    {
        var added = turn.State.Added;
        for (var i = 0; i < added.Count; i++)
        {
            if (added[i].Role != ChatRole.Assistant) continue;
            var calls = added[i].Contents.OfType<FunctionCallContent>().Select(call => call.CallId).Where(id => turn.Journal.Results.Any(result => result.CallId == id));
            var results = i + 1 < added.Count ? added[i + 1].Contents.OfType<FunctionResultContent>().Select(result => result.CallId) : [];
            results.ShouldBe(calls);
        }
    }

    private static Turn TurnOf(Answer[] script, int limit) => new(script)
    {
        MaxToolCalls = limit,
        ClientTools = ["pick"],
        Profile = new("p", ["good", "bad", "chatty", "slow", "mail"]),
        Tools =
        [
            FakeTool.Returning("good", "fine"), FakeTool.Running("bad", _ => throw new ToolException("NOT_FOUND")), FakeTool.Returning("blocked", 1),
            FakeTool.Running("chatty", context =>
            {
                context.EmitCustom("k", default);
                context.EmitClientEvent("c", default);
                return 1;
            }),
            FakeTool.Waiting("slow", async _ =>
            {
                await Task.Yield();
                return "slow";
            }),
            FakeTool.Running("mail", context =>
            {
                context.Challenge(new("Mail", "https://mail.example.com"));
                return null;
            }),
        ],
    };
}
