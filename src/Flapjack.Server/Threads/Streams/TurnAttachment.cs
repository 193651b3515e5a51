using System.Globalization;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Lets a client come back to a stream: to the running turn, or to one that ended a short while ago, on whichever node.</summary>
internal sealed class TurnAttachment(TurnStreams streams)
{
    /// <param name="client">Who comes back.</param>
    /// <param name="access">As whom.</param>
    /// <param name="thread">A thread the caller may see.</param>
    /// <param name="lastEventId">The last event the client has, as <c>&lt;turn id&gt;:&lt;sequence&gt;</c>; empty for the running turn from its first event.</param>
    public async Task WriteAsync(ClientConnection client, CallerContext access, ConversationThread thread, string lastEventId)
    {
        if (lastEventId.Length == 0)
        {
            await WriteRunningAsync(client, access, thread);
            return;
        }
        var (turnId, sequence) = Parse(lastEventId) ?? throw ApiException.NotFound("Event");
        using var found = await streams.FindAsync(turnId, thread.OrgId, StreamPick.AfterEvent(sequence), client.Left);
        if (found?.Live.ThreadId != thread.Id || found.Live.PositionAfter(sequence) is not { } position) throw ApiException.NotFound("Event");
        await client.SendAsync(found.Live, position, access.Credential);
    }

    private async Task WriteRunningAsync(ClientConnection client, CallerContext access, ConversationThread thread)
    {
        using var found = thread.ActiveTurnId is { } active ? await streams.FindAsync(active, thread.OrgId, StreamPick.Latest, client.Left) : null;
        if (found is not null) await client.SendAsync(found.Live, 0, access.Credential);
        else client.SendNothing();
    }

    private static (Guid Turn, long Sequence)? Parse(string id)
    {
        var colon = id.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Guid.TryParseExact(id.AsSpan(0, colon), "D", out var turn) && long.TryParse(id.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? (turn, sequence)
            : null;
    }
}
