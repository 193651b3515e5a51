using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Who may make a link that logs somebody else in.</summary>
/// <remarks>
/// A login reaches every organisation of its person. So whoever makes the link must already be above the person in each of them: an admin above
/// viewers, members and admins, an owner above everybody. Otherwise adding a stranger to one's own organisation would open all of theirs. The link is held to the same rule when
/// it is used, since either of the two may have risen, left or joined meanwhile.
/// </remarks>
internal sealed class LoginLinkRights(FlapjackDb db)
{
    public async Task<bool> HoldAsync(Guid creatorId, Guid userId, CancellationToken cancellationToken)
    {
        if (creatorId == userId) return true;
        var rows = await db.Memberships.AsNoTracking().Where(m => m.UserId == userId || m.UserId == creatorId).ToListAsync(cancellationToken);
        // Who belongs nowhere is below nobody.
        if (!rows.Exists(m => m.UserId == userId)) return false;
        var creators = rows.Where(m => m.UserId == creatorId).ToDictionary(m => m.OrgId, m => m.Role);
        return rows.Where(m => m.UserId == userId).All(m => creators.TryGetValue(m.OrgId, out var role) && (role == Role.Owner || role == Role.Admin && m.Role < Role.Owner));
    }
}
