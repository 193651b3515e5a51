using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>Brings answers of turns that nobody waits for to whoever talks to the thread from outside this server.</summary>
internal interface IAnswerDelivery
{
    /// <summary>What is written with the start of a turn, so that its answer is delivered; nothing for a thread nobody outside talks to. The statement must ask whether the thread belongs to the turn.</summary>
    /// <param name="orgId">The organisation.</param>
    /// <param name="threadId">A thread that is there already.</param>
    /// <param name="turnId">The turn that is about to begin.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    Task<IReadOnlyList<SqlStatement>> OfAsync(Guid orgId, Guid threadId, Guid turnId, CancellationToken cancellationToken);
}
