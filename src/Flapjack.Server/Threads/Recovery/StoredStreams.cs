using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Storage;
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
        var text = turn.Progress is { } progress ? TurnProgress.Parse(progress).Text : string.Join(TurnLoop.Joint, answers.Select(m => m.Content));
        if (StreamRecord.Read(record, text, first => new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, first)) is not { Count: > 0 } streams) return [];
        var last = streams[^1];
        if (last.Events().Last().Type is not ("requires_action" or "error")) AppendDone(last, turn, answers.LastOrDefault(), text);
        foreach (var stream in streams) stream.End(turn.EndedAt ?? turn.StartedAt);
        return streams;
    }

    private static void AppendDone(LiveTurn stream, Turn turn, Message? answer, string text)
    {
        var stopped = turn.Status == TurnStatuses.Stopped;
        var usage = new ModelUsage(answer?.InputTokens ?? 0, answer?.OutputTokens ?? 0, answer?.CacheReadTokens ?? 0, answer?.CacheWriteTokens ?? 0);
        TurnEventJson.AppendDone(stream, new(stopped ? null : answer?.Id, text, stopped, usage, (decimal?)answer?.CostUsd, turn.FinishReason ?? "stop"));
    }
}
