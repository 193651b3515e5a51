using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Platform;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Streams;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Turns;

/// <summary>A stream that was opened for a request.</summary>
/// <param name="Live">Its events.</param>
/// <param name="Stream">False: the client wants one JSON answer.</param>
/// <remarks>The request is the stream's first reader until it disposes of this; when it was the last one, the turn is stopped unless it was told to go on.</remarks>
internal sealed record OpenedTurn(LiveTurn Live, bool Stream) : IDisposable
{
    public void Dispose() => Live.RemoveReader();
}

/// <summary>Brings a message to its turn: checks it, waits or refuses when the thread is busy, stores it, starts the turn.</summary>
/// <remarks>Databases are opened for a moment where they are needed: a request that streams for minutes must not hold one.</remarks>
internal sealed class TurnOpening(Databases databases, CallerContext access, TurnAddressing addressing, TurnStore store, TurnHost host, TurnOpeningContext context)
{
    private const int MaxAttempts = 20;

    public async Task<OpenedTurn> OpenAsync(Guid threadId, MessageRequest request, ClientConnection client)
    {
        Admit(client);
        var found = await FindAsync(threadId, client.Left);
        var errors = new FieldErrors();
        var draft = MessageDraft.From(request, errors);
        errors.ThrowIfAny();
        return await OpenAsync(found, draft, client);
    }

    /// <summary>Refuses while the server drains, and counts the message.</summary>
    public void Admit(ClientConnection client)
    {
        if (context.Draining.IsDraining) throw ApiException.Unavailable("the server is shutting down, try again");
        client.CountMessage(context.Limits, access.OrgId);
    }

    /// <summary>A thread the caller may see, with its agent.</summary>
    public async Task<ThreadWithAgent> FindAsync(Guid threadId, CancellationToken cancellationToken)
    {
        // Who does not see the whole organisation has to be asked first; then one prepared read brings thread and agent.
        if (!access.SeesWholeOrg) await RequireVisibleAsync(threadId, cancellationToken);
        return await context.Reader.ReadAsync(ThreadSql.Find(threadId, access.OrgId), ThreadSql.Map, cancellationToken) ?? throw ApiException.NotFound("Thread");
    }

    /// <summary>Opens a message that is checked already.</summary>
    public async Task<OpenedTurn> OpenAsync(ThreadWithAgent found, MessageDraft draft, ClientConnection client)
    {
        var (thread, agent) = found;
        if (!context.Settings.Turns.AllowOverrides && draft.Options.Overrides.Count > 0) throw new ApiException(403, "FEATURE_DISABLED", "the operator does not allow overrides");
        if (agent.DeletedAt is not null) throw ApiException.NotFound("Agent");
        if (thread.Status != "active") throw ApiException.Conflict("the thread is archived");
        if (draft.Results.Count == 0) return new(await BeginAsync(thread, agent, draft, client), draft.Stream);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await ContinueAsync(thread, agent, draft, client) is { } live) return new(live, draft.Stream);
            (thread, agent) = await FindAsync(thread.Id, client.Left);
        }
        throw Busy(thread.PendingTurnId ?? Guid.Empty);
    }

    private async Task RequireVisibleAsync(Guid threadId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(access);
        await db.FindThreadAsync(access, threadId, cancellationToken);
    }

    private async Task<LiveTurn> BeginAsync(ConversationThread thread, Agent agent, MessageDraft draft, ClientConnection client)
    {
        var plan = await addressing.PlanAsync(thread, agent, draft, client.Left);
        await using var intake = await context.Attachments.TakeAsync(draft.Attachments, plan, access, client.Left);
        draft = draft with { Attached = intake.Attached };
        var live = await BeginAsync(plan, draft, client);
        intake.Keep();
        return live;
    }

    private async Task<LiveTurn> BeginAsync(TurnPlan plan, MessageDraft draft, ClientConnection client)
    {
        var thread = plan.Thread;
        if (await TryBeginAsync(plan, thread.PendingTurnId, draft, client) is { } live) return live;
        return await context.Queue.BeginWhenFreeAsync(thread, draft, client, pending => TryBeginAsync(plan, pending, draft, client));
    }

    private async Task<LiveTurn?> TryBeginAsync(TurnPlan plan, Guid? pendingTurn, MessageDraft draft, ClientConnection client)
    {
        // Asked again here, because a queued message may have waited since it came in.
        if (context.Draining.IsDraining) throw ApiException.Unavailable("the server is shutting down, try again");
        var thread = plan.Thread;
        if (pendingTurn is { } pending) await context.Pending.DropAsync(thread, pending, PendingEnd.Replaced);
        var live = new LiveTurn(Ids.New(), thread.OrgId, thread.Id);
        var sender = MessageSender.Of(plan.Options, access);
        var message = new Message
        {
            Id = Ids.New(),
            OrgId = thread.OrgId,
            ThreadId = thread.Id,
            TurnId = live.TurnId,
            Seq = 0,
            Role = MessageRoles.User,
            Content = draft.Content ?? "",
            Attachments = MessageAttachments.ToText(draft.Attached),
            SenderName = sender.Name,
            SenderId = sender.Id,
            CreatedAt = context.Time.Now(),
        };
        // Not the request's token: once begun, the message is stored whether or not the client still listens.
        if (await store.OpenAsync(plan, live.TurnId, message, client.Claim) is not { } seq) return null;
        client.AnsweredBy(live.TurnId);
        host.Start(plan, live, new(message.CreatedAt, message.Content, message.Id, message, seq, 1, null));
        return live;
    }

    private async Task<LiveTurn?> ContinueAsync(ConversationThread thread, Agent agent, MessageDraft draft, ClientConnection client)
    {
        var cancellationToken = client.Left;
        var now = context.Time.Now();
        if (thread.Status != "active") throw ApiException.Conflict("the thread is archived");
        if (thread.ActiveTurnId is { } running) throw Busy(running);
        await using var db = databases.Open(access);
        if (thread.PendingTurnId is not { } turnId) throw await PendingActions.HasExpiredAsync(db, thread.Id, cancellationToken) ? TooLate() : ApiException.Invalid("toolResults", "nothing is pending in this thread");
        if (!thread.IsAwaitingAction(now))
        {
            await context.Pending.DropAsync(thread, turnId, PendingEnd.Expired);
            throw TooLate();
        }
        var turn = await db.Turns.AsNoTracking().FirstAsync(t => t.Id == turnId, cancellationToken);
        var calls = await db.Messages.AsNoTracking().Where(m => m.ThreadId == thread.Id && m.TurnId == turnId && m.Role == MessageRoles.Tool && !m.Complete).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        CheckAnswers(draft.Results, calls);
        var stored = TurnOptions.Parse(turn.Request);
        var options = draft.BringsTools ? stored with { Tools = draft.Options.Tools, IsPlain = false } : stored;
        var plan = await addressing.PlanRestAsync(thread, agent, turn, options, cancellationToken);
        await using var intake = await context.Attachments.TakeAsync(draft.Attachments, plan, access, cancellationToken);
        draft = draft with { Attached = intake.Attached };
        var remaining = calls.Where(c => draft.Results.All(r => r.CallId != c.ToolCallId)).ToList();
        var live = await context.Continuation.ContinueAsync(new(plan, turn, draft, remaining, thread.PendingExpiresAt!.Value, MessageSender.Of(draft.Options, access, stored)));
        if (live is null) return null;
        intake.Keep();
        live.Answers = [.. draft.Results.Select(result => result.CallId)];
        client.AnsweredBy(turnId);
        return live;
    }

    private static void CheckAnswers(IReadOnlyList<ToolAnswer> answers, List<Message> pending)
    {
        var errors = new FieldErrors();
        for (var i = 0; i < answers.Count; i++)
        {
            if (!pending.Exists(call => call.ToolCallId == answers[i].CallId)) errors.Add($"toolResults[{i}].toolCallId", "is not pending");
        }
        errors.ThrowIfAny();
    }

    private static ApiException TooLate() => new(409, "ACTION_EXPIRED", "the results came too late; send a new message");

    public static ApiException Busy(Guid turnId) => new(409, "THREAD_BUSY", turnId.ToString());
}

/// <summary>What openings share.</summary>
internal sealed record TurnOpeningContext(
    ServerSettings Settings, TimeProvider Time, Platform.Lifetime.Draining Draining, RequestLimits Limits, TurnQueue Queue, PendingActions Pending, TurnContinuation Continuation, IReader Reader, AttachmentIntake Attachments);
