using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Multiplayer;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>Changes who takes part in a thread. Changes of one thread come one after another, so that no two together remove its last owner or pass its limit.</summary>
internal sealed class Participants(FlapjackDb db, AgentConfigs configs, TimeProvider time)
{
    /// <summary>Adds somebody, or changes those fields that were sent.</summary>
    public async Task<(Participant Participant, bool IsNew)> PutAsync(ConversationThread thread, string userId, Optional<string> name, Optional<string> role, CancellationToken cancellationToken)
    {
        var limit = (await configs.ReadAsync<MultiplayerConfig>(thread.OrgId, thread.AgentId, cancellationToken)).Value.MaxParticipants;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await LockAsync(thread, cancellationToken);
        var participant = await FindAsync(thread, userId, cancellationToken);
        var isNew = participant is null;
        if (participant is null)
        {
            if (await db.Participants.CountAsync(p => p.ThreadId == thread.Id, cancellationToken) >= limit) throw ApiException.Conflict($"the thread has {limit} participants, the most its agent allows");
            participant = new() { OrgId = thread.OrgId, ThreadId = thread.Id, UserId = userId, DisplayName = name.Value, Role = role.Value ?? Participant.Member, CreatedAt = time.Now() };
            db.Participants.Add(participant);
        }
        else
        {
            var wanted = role.IsSet ? role.Value ?? Participant.Member : participant.Role;
            if (participant.Role == Participant.Owner && wanted != Participant.Owner) await RefuseLastOwnerAsync(thread, cancellationToken);
            participant.Role = wanted;
            if (name.IsSet) participant.DisplayName = name.Value;
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (participant, isNew);
    }

    /// <summary>404 when they do not take part, 409 for the last owner.</summary>
    public async Task RemoveAsync(ConversationThread thread, string userId, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await LockAsync(thread, cancellationToken);
        var participant = await FindAsync(thread, userId, cancellationToken) ?? throw ApiException.NotFound("Participant");
        if (participant.Role == Participant.Owner) await RefuseLastOwnerAsync(thread, cancellationToken);
        db.Participants.Remove(participant);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private Task<Participant?> FindAsync(ConversationThread thread, string userId, CancellationToken cancellationToken) =>
        db.Participants.FirstOrDefaultAsync(p => p.ThreadId == thread.Id && p.UserId == userId, cancellationToken);

    // The thread's row is what changes of its participants meet at; a thread that was deleted meanwhile has none.
    private async Task LockAsync(ConversationThread thread, CancellationToken cancellationToken)
    {
        if (await db.Threads.Where(t => t.Id == thread.Id).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.Kind, t => t.Kind), cancellationToken) == 0) throw ApiException.NotFound("Thread");
    }

    private async Task RefuseLastOwnerAsync(ConversationThread thread, CancellationToken cancellationToken)
    {
        if (await db.Participants.CountAsync(p => p.ThreadId == thread.Id && p.Role == Participant.Owner, cancellationToken) == 1) throw ApiException.Conflict("the thread's last owner stays");
    }
}
