using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.PublicChat;

/// <summary>Gives a visitor's message its answer again when it is repeated under the same <c>Idempotency-Key</c>, which is how the page comes back to a stream it lost.</summary>
internal sealed class PublicChatReplay(TurnReplay turns, ChatDoor door) : IIdempotentReplay
{
    /// <summary>Key of the endpoint's protocol.</summary>
    public const string Protocol = "public-chat";

    public async Task<bool> ReplayAsync(ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId)
    {
        var visit = await door.ReturnAsync(turnId, new(client.Header("Host"), client.Header("Origin"), client.Header(Visitor.SessionHeader)), client.Left);
        using var found = await turns.FindAsync(turnId, StreamPick.First, client.Left);
        if (found?.Live is not { } live) return false;
        await client.SendAsync(new TranslatedEvents(live, new PublicEvents(live, visit.Publication.ExposeToolDetails)));
        return true;
    }
}
