using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>Stores the images and files of a conversation that a client brings along. They are checked like those of a new message, because the same models are given them.</summary>
internal sealed class PastAttachments(TurnPlanner planner, AttachmentIntake intake, IWriter writer, CallerContext access)
{
    /// <param name="found">The new thread.</param>
    /// <param name="messages">Messages whose rows are stored.</param>
    /// <param name="options">Of the turn to come.</param>
    /// <param name="cancellationToken">Ends fetching and storing.</param>
    public async Task StoreAsync(ThreadWithAgent found, IEnumerable<PastMessage> messages, TurnOptions options, CancellationToken cancellationToken)
    {
        var bringing = messages.Where(message => message.Attachments.Count > 0).ToList();
        if (bringing.Count == 0) return;
        var plan = await planner.PlanAsync(found.Thread, found.Agent, options, null, cancellationToken);
        await using var taken = await intake.TakeAsync([.. bringing.SelectMany(message => message.Attachments)], plan, access, cancellationToken);
        var (unit, next) = (new List<SqlStatement>(), 0);
        foreach (var message in bringing)
        {
            unit.AddRange(MessageAttachments.Store(message.Id, [.. taken.Attached.Skip(next).Take(message.Attachments.Count)]));
            next += message.Attachments.Count;
        }
        await writer.WriteAsync([.. unit], CancellationToken.None);
        taken.Keep();
    }
}
