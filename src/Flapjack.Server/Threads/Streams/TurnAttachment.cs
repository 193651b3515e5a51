using System.Globalization;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Lets a client come back to a stream: to the running turn, or to one that ended a short while ago.</summary>
internal sealed class TurnAttachment(LiveTurns live)
{
    /// <param name="client">Who comes back.</param>
    /// <param name="access">As whom.</param>
    /// <param name="thread">A thread the caller may see.</param>
    /// <param name="lastEventId">The last event the client has, as <c>&lt;turn id&gt;:&lt;sequence&gt;</c>; empty for the running turn from its first event.</param>
    public async Task WriteAsync(ClientConnection client, CallerContext access, ConversationThread thread, string lastEventId)
    {
        if (lastEventId.Length == 0)
        {
            if (thread.ActiveTurnId is { } active && live.Find(active, thread.OrgId) is { } running) await client.SendAsync(running, 0, access.Credential);
            else client.SendNothing();
            return;
        }
        var (turnId, sequence) = Parse(lastEventId) ?? throw ApiException.NotFound("Event");
        var turn = live.Find(turnId, thread.OrgId);
        if (turn?.ThreadId != thread.Id || turn.PositionAfter(sequence) is not { } position) throw ApiException.NotFound("Event");
        await client.SendAsync(turn, position, access.Credential);
    }

    private static (Guid Turn, long Sequence)? Parse(string id)
    {
        var colon = id.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Guid.TryParseExact(id.AsSpan(0, colon), "D", out var turn) && long.TryParse(id.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? (turn, sequence)
            : null;
    }
}
