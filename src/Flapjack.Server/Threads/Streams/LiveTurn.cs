using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Streams;

/// <summary>One stream of a turn. The request that started it is only its first reader.</summary>
internal sealed class LiveTurn(Guid turnId, Guid orgId, Guid threadId, long firstSequence = 1) : EventLog(turnId, firstSequence)
{
    public Guid TurnId { get; } = turnId;

    public Guid OrgId { get; } = orgId;

    public Guid ThreadId { get; } = threadId;

    /// <summary>What earlier streams of the turn used; its events count the whole turn.</summary>
    public ModelUsage UsedBefore { get; init; }
}
