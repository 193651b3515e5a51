using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Answers a message that was sent before under the same <c>Idempotency-Key</c>: with the very events while they are kept, later with what was stored.</summary>
internal sealed class TurnReplay(LiveTurns live, FlapjackDb db, CallerContext access) : IIdempotentReplay
{
    public async Task<bool> ReplayAsync(ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId)
    {
        var asStream = RequestBytes.Parse<MessageRequest>(body.Span).Stream.Value ?? true;
        if ((live.Find(turnId, access.OrgId) ?? await RebuildAsync(turnId, client.Left)) is not { } turn) return false;
        if (asStream) await client.SendAsync(turn, 0, access.Credential);
        else if (turn.IsEnded) await TurnAnswer.WriteWholeAsync(client, turn);
        else return false;
        return true;
    }

    /// <summary>A turn from its rows: <c>meta</c>, the whole text as one token, <c>done</c>, <c>requires_action</c> or the error. Null while it runs elsewhere.</summary>
    private async Task<LiveTurn?> RebuildAsync(Guid turnId, CancellationToken cancellationToken)
    {
        var turn = await db.Turns.AsNoTracking().FirstOrDefaultAsync(t => t.Id == turnId, cancellationToken);
        if (turn is { Status: TurnStatuses.Awaiting, Progress: { } progress }) return await RebuildWaitingAsync(turn, TurnProgress.Parse(progress), cancellationToken);
        if (turn?.EndedAt is not { } endedAt) return null;
        var answer = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turnId && m.Role == MessageRoles.Assistant).OrderBy(m => m.Seq).LastOrDefaultAsync(cancellationToken);
        var text = answer?.Content ?? "";
        var usage = new ModelUsage(answer?.InputTokens ?? 0, answer?.OutputTokens ?? 0, answer?.CacheReadTokens ?? 0, answer?.CacheWriteTokens ?? 0);
        var cost = (decimal?)answer?.CostUsd;
        var rebuilt = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId);
        TurnEventJson.AppendMeta(rebuilt, turn.StartedAt, turn.UserMessageId, answer?.Model ?? "");
        if (text.Length > 0) TurnEventJson.Append(rebuilt, new TokenEvent(text));
        var stopped = turn.Status == TurnStatuses.Stopped;
        if (turn.Error is { } code) TurnEventJson.Append(rebuilt, TurnEventJson.Error(code, null, usage, cost));
        else TurnEventJson.AppendDone(rebuilt, new(stopped ? null : answer?.Id, text, stopped, usage, cost, turn.FinishReason ?? "stop"));
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
        if (progress.Text.Length > 0) TurnEventJson.Append(rebuilt, new TokenEvent(progress.Text));
        TurnEventJson.Append(rebuilt, TurnEventJson.RequiresAction(calls, expiresAt.Value));
        rebuilt.End(turn.StartedAt);
        return rebuilt;
    }
}
