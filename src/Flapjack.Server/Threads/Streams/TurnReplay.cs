using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Answers a message that was sent before under the same <c>Idempotency-Key</c>: with the very events while they are kept, later with what was stored.</summary>
internal sealed class TurnReplay(TurnStreams streams, FlapjackDb db, CallerContext access, TimeProvider time) : IIdempotentReplay
{
    private static readonly TimeSpan Arrival = TimeSpan.FromSeconds(2);

    public async Task<bool> ReplayAsync(ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId)
    {
        var request = RequestBytes.Parse<MessageRequest>(body.Span);
        using var found = await FindAsync(turnId, PickOf(request), client.Left);
        if (found?.Live is not { } turn) return false;
        if (request.Stream.Value ?? true) await client.SendAsync(turn, 0, access.Credential);
        else if (await IsOverAsync(turn, client.Left)) await TurnAnswer.WriteWholeAsync(client, turn);
        else return false;
        return true;
    }

    /// <summary>The events of a turn as they are kept, or from its rows; null while it runs on a node that cannot be asked. To be disposed of when they are read.</summary>
    public async Task<FoundStream?> FindAsync(Guid turnId, StreamPick pick, CancellationToken cancellationToken) =>
        await streams.FindAsync(turnId, access.OrgId, pick, cancellationToken) ?? (await RebuildAsync(turnId, cancellationToken) is { } rebuilt ? new(rebuilt, null) : null);

    // An ended stream of another node is on its way and arrives in a moment; one that still runs is not waited for.
    public async Task<bool> IsOverAsync(LiveTurn turn, CancellationToken cancellationToken)
    {
        if (!turn.IsEnded && await db.Turns.AnyAsync(t => t.Id == turn.TurnId && t.Status == TurnStatuses.Running, cancellationToken)) return false;
        await turn.Ended.WaitAsync(Arrival, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return turn is { IsEnded: true, IsBroken: false };
    }

    // The message that began the turn is answered by its first stream; results of client-side calls by the stream they opened.
    private static StreamPick PickOf(MessageRequest request) =>
        StreamPick.OpenedBy(request.ToolResults.Value?.FirstOrDefault() is { } result ? result.ToolCallId.Value ?? result.Id.Value : null);

    /// <summary>A turn from its rows: <c>meta</c>, the whole text as one token, <c>done</c>, <c>requires_action</c> or the error. Null while it runs elsewhere.</summary>
    private async Task<LiveTurn?> RebuildAsync(Guid turnId, CancellationToken cancellationToken)
    {
        var turn = await db.Turns.AsNoTracking().FirstOrDefaultAsync(t => t.Id == turnId, cancellationToken);
        if (turn is { Status: TurnStatuses.Awaiting, Progress: { } progress }) return await RebuildWaitingAsync(turn, TurnProgress.Parse(progress), cancellationToken);
        if (turn?.EndedAt is not { } endedAt) return null;
        var answers = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turnId && m.Role == MessageRoles.Assistant).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        var (all, last) = (FinishedLegs.Of(answers), answers.LastOrDefault());
        var text = turn.ToldOf(all.Text);
        var rebuilt = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId);
        TurnEventJson.AppendMeta(rebuilt, turn.StartedAt, turn.UserMessageId, last?.Model ?? "");
        if (text.Length > 0) TurnEventJson.Append(rebuilt, new TokenEvent(text));
        var stopped = turn.Status == TurnStatuses.Stopped;
        if (turn.Error is { } code) TurnEventJson.Append(rebuilt, TurnEventJson.Error(code, null, all.Usage, all.CostUsd));
        else TurnEventJson.AppendDone(rebuilt, new(stopped ? null : last?.Id, text, stopped, all.Usage, all.CostUsd, turn.FinishReason ?? "stop", turn.OutputOf(text)));
        rebuilt.End(endedAt);
        return rebuilt;
    }

    private async Task<LiveTurn?> RebuildWaitingAsync(Turn turn, TurnProgress progress, CancellationToken cancellationToken)
    {
        var expiresAt = await db.Threads.Where(t => t.Id == turn.ThreadId && t.PendingTurnId == turn.Id).Select(t => t.PendingExpiresAt).FirstOrDefaultAsync(cancellationToken);
        if (expiresAt is null) return null;
        var rows = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turn.Id).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        var open = rows.Where(m => m.Role == MessageRoles.Tool && !m.Complete).Select(m => m.ToolCallId).ToHashSet();
        var calls = rows.SelectMany(m => StepCalls.Parse(m.ToolCalls)).Where(call => open.Contains(call.Id)).Select(call => new TurnCall(call.Id, call.Name, call.Arguments, true));
        var rebuilt = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId);
        TurnEventJson.AppendMeta(rebuilt, turn.StartedAt, turn.UserMessageId, progress.Model ?? "");
        var text = FinishedLegs.Join(FinishedLegs.Of(rows.Where(m => m.Role == MessageRoles.Assistant)).Text, progress.Text);
        if (text.Length > 0) TurnEventJson.Append(rebuilt, new TokenEvent(text));
        TurnEventJson.Append(rebuilt, TurnEventJson.RequiresAction(calls, expiresAt.Value));
        rebuilt.UsedAtQuestion = progress.Usage;
        rebuilt.End(turn.StartedAt);
        return rebuilt;
    }
}
