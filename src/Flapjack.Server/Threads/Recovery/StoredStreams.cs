using System.Text.Json;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Streams that no node has in memory any more, from what was stored of them.</summary>
internal sealed class StoredStreams(Databases databases)
{
    /// <summary>The ended streams of a turn, oldest first, with the very ids and data they were sent with. Empty when there are none, the turn is unknown, or it was too large to be kept.</summary>
    public async Task<IReadOnlyList<LiveTurn>> FindAsync(Guid turnId, Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var turn = await db.Turns.AsNoTracking().FirstOrDefaultAsync(t => t.Id == turnId, cancellationToken);
        if (turn?.Events is not { } record) return [];
        var answers = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turnId && m.Role == MessageRoles.Assistant).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        var all = FinishedLegs.Of(answers);
        var text = turn.Progress is { } progress ? FinishedLegs.Join(all.Text, TurnProgress.Parse(progress).Text) : turn.ToldOf(all.Text);
        if (turn.Status == TurnStatuses.Running) return Earlier(turn, text);
        if (StreamRecord.Read(record, text, first => new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, first)) is not { Count: > 0 } streams) return [];
        var last = streams[^1];
        if (last.Events().Last().Type is not ("requires_action" or "error")) AppendDone(last, turn, all, text);
        return Ended(streams, turn);
    }

    // What a turn said before its client answered, while it goes on.
    private static List<LiveTurn> Earlier(Turn turn, string text)
    {
        if (StreamRecord.Finished(turn.Events) is not { } record) return [];
        var length = StreamRecord.TextLength(record);
        return length <= text.Length && StreamRecord.Read(record, text[..length], first => new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, first)) is { } streams ? Ended(streams, turn) : [];
    }

    private static List<LiveTurn> Ended(List<LiveTurn> streams, Turn turn)
    {
        HashSet<string> asked = [];
        foreach (var stream in streams)
        {
            stream.End(turn.EndedAt ?? turn.StartedAt);
            var asks = Asks(stream);
            stream.Answers = [.. asked.Except(asks)];
            asked = asks;
        }
        return streams;
    }

    // The calls a stream left to its client.
    private static HashSet<string> Asks(LiveTurn stream)
    {
        var (type, data) = stream.Events().Last();
        if (type != "requires_action") return [];
        using var question = JsonDocument.Parse(data);
        return [.. question.RootElement.GetProperty("toolCalls").EnumerateArray().Select(call => call.GetProperty("id").GetString()!)];
    }

    private static void AppendDone(LiveTurn stream, Turn turn, FinishedLegs all, string text)
    {
        var stopped = turn.Status == TurnStatuses.Stopped;
        TurnEventJson.AppendDone(stream, new(stopped ? null : all.LastMessageId, text, stopped, all.Usage, all.CostUsd, turn.FinishReason ?? "stop", turn.OutputOf(text)));
    }
}
