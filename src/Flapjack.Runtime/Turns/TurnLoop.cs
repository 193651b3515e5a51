using System.Runtime.CompilerServices;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>Runs one stream of a turn: asks the model, runs the tools it calls, asks again, until there is an answer or something only the client can give.</summary>
/// <param name="clock">Times of spans and durations.</param>
/// <remarks>
/// <para>One streaming loop; whoever wants a blocking answer folds its events. Before anything else, step 0 finishes the tool step that a crash interrupted, if there is one. The steps, marked in the code:</para>
/// <list type="number">
/// <item>Assemble the prompt: the turn's prompt and what the loop added; the tools, or none on the last call.</item>
/// <item>Call the model and stream its text; hold it back when the turn has a format.</item>
/// <item>Collect its tool calls. A model that paused after a compaction ends the turn.</item>
/// <item>None: the turn is over. With a format the answer is judged first, and asked for again when it is faulty.</item>
/// <item>Gate each call: client-side, refused, or to be run.</item>
/// <item>Journal the step.</item>
/// <item>Run the server-side calls, up to four at a time.</item>
/// <item>Journal each result, then tell of it; add step and results to the prompt.</item>
/// <item>Stop for an authorisation, for the client, or at a limit.</item>
/// <item>Next step.</item>
/// </list>
/// <para>Exceptions of the model and cancellation leave the loop as they are; <see cref="TurnState"/> then tells how far the turn got. <c>docs/runtime/turn-loop.md</c> lists every scenario with its test.</para>
/// </remarks>
public sealed class TurnLoop(TimeProvider clock)
{
    /// <summary>Rounds of client-side calls in one turn.</summary>
    public const int MaxClientRounds = 25;

    /// <summary>Stands between text before and after a tool step.</summary>
    public const string Joint = "\n\n";

    /// <summary>Runs until the turn ends or waits for the client; <see cref="TurnState.Outcome"/> then says which. Dispose the enumerator, or finish it: running tools are stopped there.</summary>
    /// <exception cref="Models.ModelException">The model failed.</exception>
    /// <exception cref="OperationCanceledException">The turn was stopped.</exception>
    public async IAsyncEnumerable<TurnEvent> RunAsync(TurnState state, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var gate = new ToolGate(state, clock);
        var answer = new AnswerGate(state);
        var known = state.TracedMessages;
        if (state.Interrupted is { } interrupted)
        {
            // 0. Finish the step a crash interrupted.
            var left = gate.Readmit(interrupted);
            await using (var tools = new ToolStep(state, clock, interrupted.Step, left, recorded: true))
            {
                await foreach (var happened in tools.RunAsync(cancellationToken)) yield return happened;
                state.Outcome = await OutcomeAsync(state, tools, PendingOf(left));
            }
            if (state.Outcome is not null) yield break;
        }
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // 1. Assemble the prompt. After a refusal for the limit, and for a repair, there are no tools to call.
            var lastCall = gate.LimitReached || answer.IsRepairing;
            List<ChatMessage> messages = [.. state.Prompt, .. state.Added, .. answer.Exchange];

            // 2. Call the model and stream.
            await using var model = new ModelStep(state, clock, messages, known, OptionsOf(state, lastCall), cancellationToken);
            known = messages.Count;
            while (await model.MoveNextAsync())
            {
                var contents = model.Current.Contents;
                for (var i = 0; i < contents.Count; i++)
                {
                    if (contents[i] is not TextContent { Text: var delta })
                    {
                        // 3. Collect tool calls, and whatever else is no text.
                        if (model.Collect(contents[i]) is { } happened) yield return happened;
                        continue;
                    }
                    if (delta.Length == 0) continue;
                    // PostgreSQL stores no U+0000; what is sent and what is stored must not differ.
                    if (delta.Contains('\0', StringComparison.Ordinal)) delta = delta.Replace('\0', '\uFFFD');
                    if (state.Format is not null)
                    {
                        model.Hold(delta);
                        continue;
                    }
                    if (model.BeginText() is { } joint) yield return joint;
                    yield return model.Say(delta);
                }
            }
            model.Complete();
            if (model.FinishReason == CompactionContent.Paused)
            {
                // The provider only compacted, as it was told: whoever sends the next message may add to it.
                await state.Journal.RecordStepAsync(new(model.Text, model.Reasoning, []) { Compaction = model.Compaction }, cancellationToken);
                (state.TailStart, state.TailCompaction) = (state.Text.Length, null);
                yield return ClientEvent.CompactionPaused();
                state.Outcome = Finished("compaction_paused");
                yield break;
            }

            // 4. No calls, or calls nobody asked for: the turn is over, unless its answer is faulty.
            if (lastCall || model.Calls.Count == 0)
            {
                if (state.Format is not null)
                {
                    if (answer.Accept(model) is not { } text) continue;
                    if (model.BeginText() is { } joint) yield return joint;
                    yield return model.Say(text);
                }
                state.Outcome = Finished(gate.LimitReached ? "tool_limit" : model.FinishReason == ChatFinishReason.Length ? "length" : "stop");
                yield break;
            }

            // 5. Gate each call.
            var calls = gate.Admit(model.Calls);
            var pending = PendingOf(calls);

            // 6. to 8. Journal the step, run what may run, journal each result.
            var step = new TurnStep(model.Text, model.Reasoning, [.. calls.Select(static call => call.Call)]) { Compaction = model.Compaction };
            await using (var tools = new ToolStep(state, clock, step, calls))
            {
                await foreach (var happened in tools.RunAsync(cancellationToken)) yield return happened;

                // 9. Stop for an authorisation, for the client, or at the limit of its rounds.
                state.Outcome = await OutcomeAsync(state, tools, pending);
            }
            if (state.Outcome is not null) yield break;

            // 10. Next step.
        }
    }

    private static ChatOptions OptionsOf(TurnState state, bool lastCall)
    {
        var options = state.Options.Clone();
        options.Tools = lastCall || state.Tools.Offered.Count == 0 ? null : [.. state.Tools.Offered];
        if (options.Tools is null) options.ToolMode = null;
        return options;
    }

    private static List<TurnCall> PendingOf(List<StepCall> calls)
    {
        var pending = new List<TurnCall>();
        foreach (var call in calls)
        {
            if (call.Call.ClientSide && !call.Finished) pending.Add(call.Call);
        }
        return pending;
    }

    private static async ValueTask<TurnOutcome?> OutcomeAsync(TurnState state, ToolStep tools, List<TurnCall> pending)
    {
        if (tools.Challenged)
        {
            await tools.RefuseClientCallsAsync(ToolErrors.Cancelled, "The turn ended for an authorisation.");
            return Finished("auth_challenge");
        }
        if (pending.Count == 0) return null;
        if (state.ClientRounds >= MaxClientRounds)
        {
            await tools.RefuseClientCallsAsync(ToolErrors.LimitReached, $"At most {MaxClientRounds} rounds of client-side calls are allowed.");
            return Finished("tool_limit");
        }
        state.ClientRounds++;
        return new(null, pending);
    }

    private static TurnOutcome Finished(string reason) => new(reason, []);
}
