using Flapjack.Server.Files;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Compactions;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Forks;

/// <summary>Copies a thread up to a message. The database copies the rows itself, in one unit: there is never half a fork, and a long thread does not pass through here.</summary>
internal sealed class ThreadFork(FlapjackDb db, CallerContext access, IWriter writer, ISqlDialect dialect, ThreadOpening opening)
{
    private const int MaxAttempts = 100;

    /// <summary>The new thread. 404 for an unknown message, 409 <c>THREAD_BUSY</c> for one of the running turn.</summary>
    public async Task<ConversationThread> CopyAsync(ConversationThread thread, Guid? messageId, string? title, CancellationToken cancellationToken)
    {
        var messages = db.Messages.AsNoTracking().Where(m => m.ThreadId == thread.Id);
        var last = messageId is { } id
            ? await messages.FirstOrDefaultAsync(m => m.Id == id && m.Role != MessageRoles.Step, cancellationToken) ?? throw ApiException.NotFound("Message")
            : await messages.OrderByDescending(m => m.Seq).FirstOrDefaultAsync(cancellationToken);
        if (last?.TurnId is { } turn && turn == thread.ActiveTurnId) throw TurnOpening.Busy(turn);
        var lastSeq = last is null ? 0 : await EndOfStepAsync(messages, last, cancellationToken);
        var userId = access.Caller.Kind == CallerKind.User ? access.Caller.UserId.ToString() : thread.UserId;

        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var copy = new ConversationThread
            {
                Id = Ids.New(),
                OrgId = thread.OrgId,
                AgentId = thread.AgentId,
                Title = title,
                Kind = thread.Kind,
                ActiveProfile = thread.ActiveProfile,
                SystemPromptOverlay = thread.SystemPromptOverlay,
                ResourceBindings = thread.ResourceBindings,
                UserId = userId,
                ParentThreadId = thread.Id,
                ForkedFromMessageId = messageId ?? (last?.Role == MessageRoles.Step ? null : last?.Id),
                LastSeq = lastSeq,
                CreatedAt = opening.Next(),
                UpdatedAt = default,
            };
            copy.UpdatedAt = copy.CreatedAt;
            var result = await writer.WriteAsync(UnitOf(copy), cancellationToken);
            if (result.Affected[0] == 0) throw ApiException.NotFound("Thread");
            if (result.Affected[1] == 1) return copy;
            // No agent, or another node took this microsecond.
            if (!await db.Agents.AnyAsync(a => a.Id == thread.AgentId && a.DeletedAt == null, cancellationToken)) break;
        }
        throw ApiException.NotFound("Agent");
    }

    private SqlStatement[] UnitOf(ConversationThread copy)
    {
        var (parent, seq) = (copy.ParentThreadId!.Value, copy.LastSeq);
        var unit = new List<SqlStatement> { ForkSql.Hold(parent, copy.OrgId), ForkSql.InsertThread(copy), ForkSql.CopyMessages(parent, copy.Id, seq, dialect), FileSql.CopyUses(parent, copy.Id, seq) };
        unit.AddRange(CompactionSql.Copy(parent, copy.Id, seq));
        if (copy.Kind == "multiplayer" && access.Caller.UserId is { } user) unit.Add(ThreadSql.InsertOwner(copy, user.ToString(), access.Caller.UserName));
        return [.. unit];
    }

    // A step's calls are one after the other. A fork in their middle would leave some without a row, and providers refuse a history with an unanswered call for ever.
    private static async Task<long> EndOfStepAsync(IQueryable<Message> messages, Message last, CancellationToken cancellationToken)
    {
        if (last.Role != MessageRoles.Tool) return last.Seq;
        var next = await messages.Where(m => m.Seq > last.Seq && m.Role != MessageRoles.Tool).OrderBy(m => m.Seq).Select(m => (long?)m.Seq).FirstOrDefaultAsync(cancellationToken);
        return next - 1 ?? await messages.MaxAsync(m => m.Seq, cancellationToken);
    }
}
