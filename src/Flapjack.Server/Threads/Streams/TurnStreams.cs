using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Streams.Relay;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Finds the events of a turn wherever they are: in the memory of this node, in the store, or in the memory of the node that runs it.</summary>
internal sealed class TurnStreams(LiveTurns live, StreamMirrors mirrors, IEnumerable<IStoredStreams> stores, Databases databases, TurnStreamsContext context)
{
    /// <summary>The newest stream of the turn that fits, to be disposed of when nobody here reads it any more; null when it is nowhere or forgotten. 503 when it runs on a node that does not answer.</summary>
    public async Task<FoundStream?> FindAsync(Guid turnId, Guid orgId, StreamPick pick, CancellationToken cancellationToken)
    {
        if (live.Find(turnId, orgId, pick) is { } here) return new(here, null);
        await using var db = databases.Open(orgId);
        var turn = await db.Turns.AsNoTracking().Where(t => t.Id == turnId).Select(t => new { t.ThreadId, t.Status, t.Node, t.EndedAt }).FirstOrDefaultAsync(cancellationToken);
        if (turn is null) return null;
        var source = new StreamSource(turnId, orgId, turn.ThreadId);
        // The store is surer than another node's memory, but has only what ended.
        foreach (var store in stores)
        {
            if (await store.FindAsync(source, pick, cancellationToken) is { } stored) return new(stored, null);
        }
        var isKept = turn.EndedAt is not { } endedAt || endedAt >= context.Time.Now() - context.Settings.Turns.StreamRetention;
        if (!isKept || turn.Node == context.Self.Value) return null;
        var (there, isSilent) = await mirrors.OpenAsync(turn.Node, source, pick, cancellationToken);
        return isSilent && turn.Status == TurnStatuses.Running ? throw ApiException.Unavailable("the node that runs the turn does not answer, try again") : there;
    }
}

internal sealed record TurnStreamsContext(NodeName Self, ServerSettings Settings, TimeProvider Time);

/// <summary>A place to plug in: streams that are kept after memory has forgotten them.</summary>
internal interface IStoredStreams
{
    /// <summary>The ended stream, exactly as it was sent; null when it is not kept.</summary>
    Task<LiveTurn?> FindAsync(StreamSource source, StreamPick pick, CancellationToken cancellationToken);
}

/// <summary>A stream and the right to read it until this is disposed of.</summary>
internal sealed class FoundStream(LiveTurn live, Action? leave) : IDisposable
{
    private Action? _leave = leave;

    public LiveTurn Live => live;

    public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
}
