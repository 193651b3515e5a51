using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Streams;

/// <summary>One stream of a turn. The request that started it is only its first reader.</summary>
internal sealed class LiveTurn(Guid turnId, Guid orgId, Guid threadId, long firstSequence = 1) : EventLog(turnId, firstSequence)
{
    public Guid TurnId { get; } = turnId;

    public Guid OrgId { get; } = orgId;

    public Guid ThreadId { get; } = threadId;
}
