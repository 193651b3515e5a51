using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts;

/// <summary>An organisation as one of its people sees it.</summary>
internal sealed record UserOrg(Guid Id, string Name, string Slug, Role Role);

internal static class AccountQueries
{
    /// <summary>The organisations a user belongs to, oldest membership first.</summary>
    public static Task<List<UserOrg>> OrgsOfAsync(this FlapjackDb db, Guid userId, CancellationToken cancellationToken) =>
        (from membership in db.Memberships
         join org in db.Organisations on membership.OrgId equals org.Id
         where membership.UserId == userId
         orderby membership.CreatedAt, org.Id
         select new UserOrg(org.Id, org.Name, org.Slug, membership.Role)).ToListAsync(cancellationToken);

    /// <summary>What a user may do in an organisation now; null for one who does not belong to it.</summary>
    public static Task<Role?> RoleOfAsync(this FlapjackDb db, Guid orgId, Guid userId, CancellationToken cancellationToken) =>
        db.Memberships.Where(m => m.OrgId == orgId && m.UserId == userId).Select(m => (Role?)m.Role).FirstOrDefaultAsync(cancellationToken);
}
