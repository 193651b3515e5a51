using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>A turn as its client tells it: what the user asked, and the model's steps since. The last step's calls are the ones the client has run.</summary>
/// <param name="Question">The user's message.</param>
/// <param name="Steps">Steps, and the results of all but the last.</param>
internal sealed record WaitingTurn(PastMessage Question, IReadOnlyList<PastMessage> Steps);

/// <summary>Stores a turn that ran elsewhere as one that waits here, so that it goes on like every turn whose client brings results.</summary>
internal sealed class TurnImport(TurnPlanner planner, TurnStore store, IWriter writer, ServerSettings settings, TimeProvider time)
{
    public async Task StoreAsync(ThreadWithAgent found, WaitingTurn waiting, TurnOptions options, CancellationToken cancellationToken)
    {
        var (thread, now, turnId) = (found.Thread, time.Now(), Ids.New());
        var plan = await planner.PlanAsync(thread, found.Agent, options, null, cancellationToken);
        var question = waiting.Question.ToRow(thread, 0, turnId, now);
        var rows = RowsOf(thread, waiting.Steps, turnId, now);
        var lastSeq = thread.LastSeq + 1 + rows.Count;
        await writer.WriteAsync([
            .. store.OpeningOf(plan, turnId, question),
            .. rows.Select(TurnSql.InsertMessage),
            TurnSql.EndTurn(thread.Id, turnId, TurnStatuses.Awaiting, null, null, null, ProgressOf(plan, waiting).ToText(), null),
            TurnSql.Pause(thread.Id, turnId, lastSeq, now, now + settings.Turns.ActionExpiry)], CancellationToken.None);
    }

    private static List<Message> RowsOf(ConversationThread thread, IReadOnlyList<PastMessage> steps, Guid turnId, DateTime now)
    {
        var rows = new List<Message>(steps.Count + 4);
        foreach (var step in steps) rows.Add(step.ToRow(thread, NextSeq(), turnId, now));
        foreach (var call in steps[^1].Calls)
        {
            var intent = new PastMessage(MessageRoles.Tool, "") { Answers = call }.ToRow(thread, NextSeq(), turnId, now);
            intent.Complete = false;
            rows.Add(intent);
        }
        return rows;

        // The question comes first.
        long NextSeq() => thread.LastSeq + 2 + rows.Count;
    }

    // Text of the steps was told elsewhere, so the answer begins empty. The rounds count: they are what a turn may have only so many of.
    private static TurnProgress ProgressOf(TurnPlan plan, WaitingTurn waiting) => new(
        "", 0, 0, Math.Min(waiting.Steps.Count(step => step.Role == MessageRoles.Step), TurnLoop.MaxClientRounds), default, null, 1, Ids.New(), waiting.Question.Text, plan.Model.Id);
}
