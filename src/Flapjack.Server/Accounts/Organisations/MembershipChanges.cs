using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Who belongs to an organisation, and as what. Only owners touch owners, and the last owner stays.</summary>
internal sealed class MembershipChanges(FlapjackDb db, CallerContext access, TimeProvider time)
{
    /// <summary>403 unless the caller may give this role.</summary>
    public void RefuseToAppoint(Role role)
    {
        if (role == Role.Owner && access.Role != Role.Owner) throw ApiException.Forbidden("requires role: owner, to appoint owners");
    }

    public async Task AddAsync(Guid orgId, Guid userId, Role role, CancellationToken cancellationToken)
    {
        if (await IsMemberAsync(orgId, userId, cancellationToken)) throw AlreadyMember();
        db.Memberships.Add(new Membership { OrgId = orgId, UserId = userId, Role = role, CreatedAt = time.Now() });
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear();
            if (await IsMemberAsync(orgId, userId, cancellationToken)) throw AlreadyMember();
            throw;
        }
    }

    public async Task ChangeAsync(Guid orgId, Guid userId, Role role, CancellationToken cancellationToken)
    {
        RefuseToAppoint(role);
        await using var turn = await EnterAsync(orgId, cancellationToken);
        var membership = await FindAsync(orgId, userId, cancellationToken);
        if (role != Role.Owner) await RefuseToLoseAsync(membership, cancellationToken);
        membership.Role = role;
        await db.SaveChangesAsync(cancellationToken);
        await turn.CommitAsync(cancellationToken);
    }

    public async Task RemoveAsync(Guid orgId, Guid userId, CancellationToken cancellationToken)
    {
        await using var turn = await EnterAsync(orgId, cancellationToken);
        var membership = await FindAsync(orgId, userId, cancellationToken);
        await RefuseToLoseAsync(membership, cancellationToken);
        db.Memberships.Remove(membership);
        await db.SaveChangesAsync(cancellationToken);
        await turn.CommitAsync(cancellationToken);
    }

    // Two owners who demote each other at the same moment must not leave the organisation without one: changes queue for the organisation's row.
    private async Task<IDbContextTransaction> EnterAsync(Guid orgId, CancellationToken cancellationToken)
    {
        var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Organisations.Where(o => o.Id == orgId).ExecuteUpdateAsync(rows => rows.SetProperty(o => o.Name, o => o.Name), cancellationToken);
        return transaction;
    }

    private async Task<Membership> FindAsync(Guid orgId, Guid userId, CancellationToken cancellationToken) =>
        await db.Memberships.FirstOrDefaultAsync(m => m.OrgId == orgId && m.UserId == userId, cancellationToken) ?? throw ApiException.NotFound("Member");

    private async Task RefuseToLoseAsync(Membership membership, CancellationToken cancellationToken)
    {
        if (membership.Role != Role.Owner) return;
        if (access.Role != Role.Owner) throw ApiException.Forbidden("requires role: owner, to change owners");
        if (!await db.Memberships.AnyAsync(m => m.OrgId == membership.OrgId && m.UserId != membership.UserId && m.Role == Role.Owner, cancellationToken))
            throw ApiException.Conflict("this is the last owner of the organisation");
    }

    private Task<bool> IsMemberAsync(Guid orgId, Guid userId, CancellationToken cancellationToken) => db.Memberships.AnyAsync(m => m.OrgId == orgId && m.UserId == userId, cancellationToken);

    private static ApiException AlreadyMember() => ApiException.Conflict("the person belongs to the organisation already");
}
