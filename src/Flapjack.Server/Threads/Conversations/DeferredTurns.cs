using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>A message that no request brings: whoever wrote it is gone, and the answer is sent after them.</summary>
/// <param name="OrgId">Whose thread it is.</param>
/// <param name="ThreadId">The thread.</param>
/// <param name="TurnId">Of the turn it starts, chosen before, so that whoever repeats it knows whether it began.</param>
/// <param name="UserId">Whom the turn is for.</param>
/// <param name="Content">The text.</param>
/// <param name="Attachments">Images and files.</param>
/// <param name="Options">Of the turn; it goes on whoever listens.</param>
internal sealed record DeferredMessage(Guid OrgId, Guid ThreadId, Guid TurnId, string UserId, string Content, IReadOnlyList<AttachmentDraft> Attachments, TurnOptions Options);

/// <summary>Starts turns in known threads without a request, under ids chosen before: through the same planner, store and host as every turn. They go on after a crash like others.</summary>
internal sealed class DeferredTurns(IServiceScopeFactory scopes, TurnStore store, TurnHost host, TimeProvider time)
{
    /// <summary>Stores the message and starts its turn; null while the thread is busy. A turn that waits for its client is given up, as for every new message.</summary>
    /// <exception cref="ApiException">The turn cannot begin: thread or agent are gone, a model is unknown, an attachment cannot be read.</exception>
    public async Task<LiveTurn?> BeginAsync(DeferredMessage message, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var services = scope.ServiceProvider;
        var access = services.GetRequiredService<CallerContext>();
        access.Resume(message.OrgId, message.UserId, Guid.Empty);
        var found = await services.GetRequiredService<IReader>().ReadAsync(ThreadSql.Find(message.ThreadId, message.OrgId), ThreadSql.Map, cancellationToken) ?? throw ApiException.NotFound("Thread");
        if (found.Agent.DeletedAt is not null) throw ApiException.NotFound("Agent");
        if (found.Thread.Status != "active") throw ApiException.Conflict("the thread is archived");
        if (found.Thread.ActiveTurnId is not null) return null;
        if (found.Thread.PendingTurnId is { } pending) await services.GetRequiredService<PendingActions>().DropAsync(found.Thread, pending, PendingEnd.Replaced);
        var plan = await services.GetRequiredService<TurnPlanner>().PlanAsync(found.Thread, found.Agent, message.Options, null, cancellationToken);
        await using var intake = await services.GetRequiredService<AttachmentIntake>().TakeAsync(message.Attachments, plan, access, cancellationToken);
        var live = await StartAsync(plan, message, intake.Attached);
        if (live is not null) intake.Keep();
        return live;
    }

    private async Task<LiveTurn?> StartAsync(TurnPlan plan, DeferredMessage message, IReadOnlyList<MessageAttachment> attached)
    {
        var live = new LiveTurn(message.TurnId, message.OrgId, message.ThreadId);
        var row = new Message
        {
            Id = Ids.New(),
            OrgId = message.OrgId,
            ThreadId = message.ThreadId,
            TurnId = message.TurnId,
            Seq = 0,
            Role = MessageRoles.User,
            Content = message.Content,
            Attachments = MessageAttachments.ToText(attached),
            SenderName = message.Options.SenderName,
            SenderId = message.Options.SenderId,
            CreatedAt = time.Now(),
        };
        // Not cancelled half way: what is stored as running must run.
        if (await store.OpenAsync(plan, message.TurnId, row, null) is not { } seq) return null;
        host.Start(plan, live, new(row.CreatedAt, row.Content, row.Id, row, seq, 1, null));
        return live;
    }
}
