using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Takes over a turn whose node is gone. It goes on from its last finished step when its client wanted that, else it ends with the text that was seen of it.</summary>
internal sealed partial class TurnRecovery(LeaseBook book, TurnResumption resumption, OwnedWrites owned, Databases databases, TimeProvider time, ILogger<TurnRecovery> logger)
{
    /// <summary>A turn that has brought down so many nodes may be the reason.</summary>
    private const int MaxTakeOvers = 3;

    public async Task RecoverAsync(TurnKey key, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(key.OrgId);
        var turn = await db.Turns.AsNoTracking().FirstOrDefaultAsync(t => t.Id == key.Id, cancellationToken);
        if (turn is not { Status: TurnStatuses.Running } || !await book.TakeOverAsync(turn)) return;
        var owner = new TurnOwner(turn.ThreadId, turn.Id, turn.Fence + 1);
        if (TurnOptions.Parse(turn.Request).ContinueOnDisconnect && turn.Fence < MaxTakeOvers && await resumption.TryAsync(db, turn, owner, cancellationToken))
        {
            LogResumed(logger, turn.Id, turn.Node);
            return;
        }
        await InterruptAsync(db, turn, owner, cancellationToken);
        LogInterrupted(logger, turn.Id, turn.Node);
    }

    private async Task InterruptAsync(FlapjackDb db, Turn turn, TurnOwner owner, CancellationToken cancellationToken)
    {
        var now = time.Now();
        var progress = turn.Progress is null ? null : TurnProgress.Parse(turn.Progress);
        var finished = await FinishedLegs.ReadAsync(db, turn, cancellationToken);
        var speaker = await MessageSender.OfAnswerAsync(db, turn);
        var lastSeq = await db.Threads.Where(t => t.Id == turn.ThreadId).Select(t => t.LastSeq).FirstOrDefaultAsync(cancellationToken);
        var error = TurnEventJson.Error("INTERNAL_ERROR", "the server ended while the turn ran", finished.Usage + (progress?.Usage ?? default), FinishedLegs.Sum(finished.CostUsd, progress?.CostUsd));
        await owned.WriteAsync(owner, [
            TurnSql.CloseCalls(turn.ThreadId, turn.Id, $$"""{"error":"{{ToolErrors.OutcomeUnknown}}"}"""),
            TurnSql.InsertMessage(new()
            {
                Id = Ids.New(),
                OrgId = turn.OrgId,
                ThreadId = turn.ThreadId,
                TurnId = turn.Id,
                Seq = lastSeq + 1,
                Role = MessageRoles.Assistant,
                Content = progress?.Text ?? "",
                TailStart = progress?.TailStart ?? 0,
                Error = "INTERNAL_ERROR",
                SenderName = speaker.Name,
                SenderId = speaker.Id,
                Model = progress?.Model,
                InputTokens = progress?.Usage.InputTokens,
                OutputTokens = progress?.Usage.OutputTokens,
                CacheReadTokens = progress?.Usage.CacheReadTokens,
                CacheWriteTokens = progress?.Usage.CacheWriteTokens,
                CostUsd = (double?)progress?.CostUsd,
                CreatedAt = now,
            }),
            TurnSql.EndTurn(turn.ThreadId, turn.Id, TurnStatuses.Interrupted, null, "INTERNAL_ERROR", now, null, StreamRecord.EndedBy(turn.Events, error)),
            TurnSql.CloseTrace(turn.ThreadId, turn.Id, "error", now),
            TurnSql.Release(turn.ThreadId, turn.Id, lastSeq + 1, now)], TurnStatuses.Interrupted);
    }

    [LoggerMessage(1, LogLevel.Warning, "Turn {Turn} was interrupted: its node {Node} is gone")]
    private static partial void LogInterrupted(ILogger logger, Guid turn, string node);

    [LoggerMessage(2, LogLevel.Warning, "Turn {Turn} goes on here: its node {Node} is gone")]
    private static partial void LogResumed(ILogger logger, Guid turn, string node);
}
