namespace Flapjack.Server.Threads;

/// <summary>Something that goes with a thread, such as its plans. Features register one each; all run in the transaction that deletes the thread, after its row is gone.</summary>
internal interface IThreadDependant
{
    Task OnDeletedAsync(Guid threadId, CancellationToken cancellationToken);
}
