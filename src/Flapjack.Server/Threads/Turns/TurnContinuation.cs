using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Platform;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Streams;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Results of client-side calls for a turn that waits for them.</summary>
/// <param name="Plan">The turn under the terms it began with.</param>
/// <param name="Turn">Its row.</param>
/// <param name="Draft">The request that brought the results.</param>
/// <param name="Remaining">Calls that still have no result.</param>
/// <param name="ExpiresAt">Until when those may come.</param>
/// <param name="Sender">Who writes the text that comes with the results.</param>
internal sealed record ContinuedTurn(TurnPlan Plan, Turn Turn, MessageDraft Draft, IReadOnlyList<Message> Remaining, DateTime ExpiresAt, MessageSender Sender);

/// <summary>Goes on with a turn when the client has brought results: with all of them the model is asked again, with a part the rest is asked for again.</summary>
internal sealed class TurnContinuation(TurnStore store, TurnHost host, LiveTurns live, Databases databases, TimeProvider time)
{
    /// <summary>Null when another request with results came first: look again.</summary>
    public async Task<LiveTurn?> ContinueAsync(ContinuedTurn continued)
    {
        var (plan, turn, draft) = (continued.Plan, continued.Turn, continued.Draft);
        // A mark of its own: two steps from one state must differ.
        var progress = TurnProgress.Parse(turn.Progress!) with { Mark = Ids.New() };

        var now = time.Now();
        var stream = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, progress.NextSequence) { UsedBefore = progress.Usage };
        var message = !draft.BringsMessage ? null : new Message
        {
            Id = Ids.New(),
            OrgId = turn.OrgId,
            ThreadId = turn.ThreadId,
            TurnId = turn.Id,
            Seq = 0,
            Role = MessageRoles.User,
            Content = draft.Content ?? "",
            Attachments = MessageAttachments.ToText(draft.Attached),
            SenderName = continued.Sender.Name,
            SenderId = continued.Sender.Id,
            CreatedAt = now,
        };
        if (continued.Remaining.Count > 0) return await AskAgainAsync(continued, progress, message);
        if (await store.ResumeAsync(turn, draft.Results, message, progress, plan) is not { } seq) return null;
        host.Start(plan, stream, new(turn.StartedAt, null, turn.UserMessageId, message, seq, message is null ? 0 : 1, progress) { Fence = turn.Fence, Earlier = turn.Events });
        return stream;
    }

    private async Task<LiveTurn?> AskAgainAsync(ContinuedTurn continued, TurnProgress progress, Message? message)
    {
        var turn = continued.Turn;
        var stream = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, progress.NextSequence) { UsedBefore = progress.Usage, UsedAtQuestion = progress.Usage };
        // meta and requires_action take two numbers.
        var next = progress with { NextSequence = progress.NextSequence + 2 };
        var names = await CallsAsync(turn);
        TurnEventJson.AppendMeta(stream, turn.StartedAt, turn.UserMessageId, continued.Plan.Model.Id);
        TurnEventJson.Append(stream, TurnEventJson.RequiresAction(continued.Remaining.Select(call => names[call.ToolCallId!]), continued.ExpiresAt));
        if (!await store.KeepWaitingAsync(turn, continued.Draft.Results, message, next, continued.Plan.Options, StreamRecord.Of(turn.Events, stream))) return null;
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
