using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Server.Threads.Streams.Relay;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Finds the events of a turn wherever they are: in the memory of this node, in the store, or in the memory of the node that runs it.</summary>
internal sealed class TurnStreams(LiveTurns live, StreamMirrors mirrors, StoredStreams stored, Databases databases, TurnStreamsContext context)
{
    /// <summary>The newest stream of the turn that fits, to be disposed of when nobody here reads it any more; null when it is nowhere or forgotten. 503 when it runs on a node that does not answer.</summary>
    public async Task<FoundStream?> FindAsync(Guid turnId, Guid orgId, StreamPick pick, CancellationToken cancellationToken)
    {
        if (live.Find(turnId, orgId, pick) is { } here) return new(here, null);
        if (await RowAsync(turnId, orgId, cancellationToken) is not { } turn || turn.EndedAt < context.Time.Now() - context.Settings.Turns.StreamRetention) return null;
        // What has ended stands in the store, which outlives the node.
        if (turn.Status != TurnStatuses.Running) return await FindStoredAsync(turnId, orgId, pick, cancellationToken) ?? (await FindElsewhereAsync(turn, pick, cancellationToken)).Stream;
        var (there, isSilent) = await FindElsewhereAsync(turn, pick, cancellationToken);
        if (there is null && pick != StreamPick.Latest) there = await FindStoredAsync(turnId, orgId, pick, cancellationToken);
        return there is null && isSilent ? throw ApiException.Unavailable("the node that runs the turn does not answer, try again") : there;
    }

    private async Task<Turn?> RowAsync(Guid turnId, Guid orgId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var rows = db.Turns.AsNoTracking().Where(t => t.Id == turnId);
        // Not what it has recorded, which may be large.
        return await rows.Select(t => new Turn { Id = t.Id, OrgId = t.OrgId, ThreadId = t.ThreadId, AgentId = t.AgentId, Status = t.Status, Node = t.Node, LeaseUntil = t.LeaseUntil, Request = "", StartedAt = t.StartedAt, EndedAt = t.EndedAt }).FirstOrDefaultAsync(cancellationToken);
    }

    private async Task<(FoundStream? Stream, bool IsSilent)> FindElsewhereAsync(Turn turn, StreamPick pick, CancellationToken cancellationToken) =>
        turn.Node == context.Self.Value ? (null, false) : await mirrors.OpenAsync(turn.Node, new(turn.Id, turn.OrgId, turn.ThreadId), pick, cancellationToken);

    private async Task<FoundStream?> FindStoredAsync(Guid turnId, Guid orgId, StreamPick pick, CancellationToken cancellationToken) =>
        (await stored.FindAsync(turnId, orgId, cancellationToken)).LastOrDefault(pick.Fits) is { } stream ? new(stream, null) : null;
}

internal sealed record TurnStreamsContext(NodeName Self, ServerSettings Settings, TimeProvider Time);

/// <summary>A stream and the right to read it until this is disposed of.</summary>
internal sealed class FoundStream(LiveTurn live, Action? leave) : IDisposable
{
    private Action? _leave = leave;

    public LiveTurn Live => live;

    public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
}
