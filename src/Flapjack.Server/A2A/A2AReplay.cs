using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.A2A;

/// <summary>Gives a <c>message/stream</c> its events again when it is repeated under the same <c>Idempotency-Key</c>. Whole answers are kept as they were sent.</summary>
internal sealed class A2AReplay(TurnReplay turns, TimeProvider time) : IIdempotentReplay
{
    /// <summary>Key of the endpoint's protocol.</summary>
    public const string Protocol = "a2a";

    public async Task<bool> ReplayAsync(ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId)
    {
        var call = JsonRpcCall.Parse(JsonRpcCall.ParseBody(body));
        if (call is not { Method: "message/stream", Id: { } id }) return false;
        using var found = await turns.FindAsync(turnId, StreamPick.First, client.Left);
        if (found?.Live is not { } live) return false;
        await client.SendAsync(new TranslatedEvents(live, new A2AEvents(live, id, 1, time)));
        return true;
    }
}
