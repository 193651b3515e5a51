using Flapjack.Server.Files;
using Flapjack.Server.Knowledge;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

/// <summary>Deletes a thread together with everything in it.</summary>
internal sealed class ThreadRemoval(FlapjackDb db, TurnStops stops, TurnHistory history, FileRemoval files, KnowledgeRemoval knowledge, IEnumerable<IThreadDependant> dependants)
{
    public async Task RemoveAsync(ConversationThread thread, CancellationToken cancellationToken)
    {
        await stops.StopAsync(thread, cancellationToken);
        // Threads in which other agents worked for this one; theirs may have some of their own.
        foreach (var child in await db.Threads.Where(t => t.ParentThreadId == thread.Id && t.Hidden).ToListAsync(cancellationToken)) await RemoveAsync(child, cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Threads.Where(t => t.Id == thread.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Messages.Where(m => m.ThreadId == thread.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Turns.Where(t => t.ThreadId == thread.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Compactions.Where(c => c.ThreadId == thread.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Participants.Where(p => p.ThreadId == thread.Id).ExecuteDeleteAsync(cancellationToken);
        foreach (var dependant in dependants) await dependant.OnDeletedAsync(thread.Id, cancellationToken);
        // Nobody sees a hidden thread go, so it must not take what its client means to send again.
        var taken = await files.TakeFromThreadAsync(thread.Id, leaveUploads: thread.Hidden, cancellationToken);
        await knowledge.RemoveThreadAsync(thread.Id, cancellationToken);
        var traces = db.Traces.Where(t => t.ThreadId == thread.Id).Select(t => t.Id);
        await db.Spans.Where(s => traces.Contains(s.TraceId)).ExecuteUpdateAsync(rows => rows.SetProperty(s => s.Input, (string?)null).SetProperty(s => s.Output, (string?)null), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        history.Forget(thread.Id);
        await files.DeleteAsync(taken);
    }
}
