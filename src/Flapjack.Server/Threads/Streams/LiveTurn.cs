using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Streams;

/// <summary>One stream of a turn.</summary>
internal sealed class LiveTurn : EventLog
{
    /// <param name="turnId">The turn.</param>
    /// <param name="orgId">Whose it is.</param>
    /// <param name="threadId">Where it runs.</param>
    /// <param name="firstSequence">A stream that goes on with an earlier one goes on counting.</param>
    public LiveTurn(Guid turnId, Guid orgId, Guid threadId, long firstSequence = 1) : base(turnId, firstSequence)
    {
        (TurnId, OrgId, ThreadId) = (turnId, orgId, threadId);
        // The request that starts it is its first reader before it has begun to read: another one that comes and goes meanwhile is not the last.
        AddReader();
    }

    public Guid TurnId { get; }

    public Guid OrgId { get; }

    public Guid ThreadId { get; }

    /// <summary>The client-side calls whose results opened this stream.</summary>
    public IReadOnlyCollection<string> Answers { get; set; } = [];

    /// <summary>What earlier streams of the turn used; its events count the whole turn.</summary>
    public ModelUsage UsedBefore { get; init; }

    /// <summary>What the turn has used when this stream ends with a question to its client; null for streams that were stored or relayed.</summary>
    public ModelUsage? UsedAtQuestion { get; set; }
}
