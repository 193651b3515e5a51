using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Streams that no node has in memory any more, from what was stored of them.</summary>
internal sealed class StoredStreams(Databases databases)
{
    /// <summary>The streams of a turn that ended or waits for its client, oldest first, with the very ids and data they were sent with. Empty when the turn is unknown, runs, or was too large to be kept.</summary>
    public async Task<IReadOnlyList<LiveTurn>> FindAsync(Guid turnId, Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var turn = await db.Turns.AsNoTracking().FirstOrDefaultAsync(t => t.Id == turnId, cancellationToken);
        if (turn?.Events is not { } record || turn.Status == TurnStatuses.Running) return [];
        var answers = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turnId && m.Role == MessageRoles.Assistant).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        var all = FinishedLegs.Of(answers);
        var text = turn.Progress is { } progress ? FinishedLegs.Join(all.Text, TurnProgress.Parse(progress).Text) : all.Text;
        if (StreamRecord.Read(record, text, first => new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, first)) is not { Count: > 0 } streams) return [];
        var last = streams[^1];
        if (last.Events().Last().Type is not ("requires_action" or "error")) AppendDone(last, turn, all);
        foreach (var stream in streams) stream.End(turn.EndedAt ?? turn.StartedAt);
        return streams;
    }

    private static void AppendDone(LiveTurn stream, Turn turn, FinishedLegs all)
    {
        var stopped = turn.Status == TurnStatuses.Stopped;
        TurnEventJson.AppendDone(stream, new(stopped ? null : all.LastMessageId, all.Text, stopped, all.Usage, all.CostUsd, turn.FinishReason ?? "stop"));
    }
}
