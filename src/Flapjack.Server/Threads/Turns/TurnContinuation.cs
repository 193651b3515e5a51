using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Results of client-side calls for a turn that waits for them.</summary>
/// <param name="Plan">The turn under the terms it began with.</param>
/// <param name="Turn">Its row.</param>
/// <param name="Draft">The request that brought the results.</param>
/// <param name="Remaining">Calls that still have no result.</param>
/// <param name="ExpiresAt">Until when those may come.</param>
internal sealed record ContinuedTurn(TurnPlan Plan, Turn Turn, MessageDraft Draft, IReadOnlyList<Message> Remaining, DateTime ExpiresAt);

/// <summary>Goes on with a turn when the client has brought results: with all of them the model is asked again, with a part the rest is asked for again.</summary>
internal sealed class TurnContinuation(IWriter writer, TurnHost host, LiveTurns live, NodeName node, ServerSettings settings, TimeProvider time, Databases databases)
{
    public async Task<LiveTurn> ContinueAsync(ContinuedTurn continued)
    {
        var (plan, turn, draft) = (continued.Plan, continued.Turn, continued.Draft);
        var progress = TurnProgress.Parse(turn.Progress!);
        if (continued.Remaining.Count > 0) return await AskAgainAsync(continued, progress);

        var now = time.Now();
        var stream = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, progress.NextSequence);
        var unit = draft.Results.Select(answer => TurnSql.Answer(turn.ThreadId, turn.Id, answer)).ToList();
        unit.Add(TurnSql.Resume(turn.ThreadId, turn.Id, draft.Content is null ? 0 : 1, now));
        var message = draft.Content is null ? null : new Message
        {
            Id = Ids.New(),
            OrgId = turn.OrgId,
            ThreadId = turn.ThreadId,
            TurnId = turn.Id,
            Seq = 0,
            Role = MessageRoles.User,
            Content = draft.Content,
            SenderName = plan.Options.SenderName,
            SenderId = plan.Options.SenderId,
            CreatedAt = now,
        };
        if (message is not null) unit.Add(TurnSql.InsertUser(message));
        unit.Add(TurnSql.RunAgain(turn.ThreadId, turn.Id, node.Value, now + settings.Turns.LeaseTime, plan.Options.ToText()));
        var result = await writer.WriteAsync([.. unit]);
        // Somebody else brought the last result first, or took the thread.
        if (result.Returned is not { } seq) throw TurnOpening.Busy(turn.Id);
        host.Start(plan, stream, new(turn.StartedAt, null, turn.UserMessageId, message, seq, message is null ? 0 : 1, progress));
        return stream;
    }

    private async Task<LiveTurn> AskAgainAsync(ContinuedTurn continued, TurnProgress progress)
    {
        var (turn, now) = (continued.Turn, time.Now());
        var stream = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, progress.NextSequence);
        // meta and requires_action take two numbers.
        var next = progress with { NextSequence = progress.NextSequence + 2 };
        var unit = continued.Draft.Results.Select(answer => TurnSql.Answer(turn.ThreadId, turn.Id, answer)).ToList();
        unit.Add(TurnSql.KeepWaiting(turn.ThreadId, turn.Id, next.ToText(), continued.Plan.Options.ToText()));
        if ((await writer.WriteAsync([.. unit])).Affected[^1] == 0) throw TurnOpening.Busy(turn.Id);
        var names = await CallsAsync(turn);
        TurnEventJson.AppendMeta(stream, turn.StartedAt, turn.UserMessageId, continued.Plan.Model.Id);
        TurnEventJson.AppendRequiresAction(stream, continued.Remaining.Select(call => names[call.ToolCallId!]), continued.ExpiresAt);
        live.Add(stream);
        live.End(stream);
        return stream;
    }

    private async Task<Dictionary<string, TurnCall>> CallsAsync(Turn turn)
    {
        await using var db = databases.Open(turn.OrgId);
        var steps = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turn.Id && m.Role == MessageRoles.Step).Select(m => m.ToolCalls).ToListAsync();
        return steps.SelectMany(StepCalls.Parse).ToDictionary(call => call.Id, call => new TurnCall(call.Id, call.Name, call.Arguments, true));
    }
}
