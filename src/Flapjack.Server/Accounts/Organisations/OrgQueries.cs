using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>An organisation with the number of its people.</summary>
internal sealed record OrgRow(Guid Id, string Name, string Slug, DateTime CreatedAt, int MemberCount)
{
    public OrgResponse Answer(Role? role) => new() { Id = Id, Name = Name, Slug = Slug, Role = role is { } held ? RoleText.Of(held) : null, MemberCount = MemberCount, CreatedAt = CreatedAt };

    public OrgResponse Answer(Caller caller) => Answer(caller.Kind == CallerKind.User ? caller.Roles[Id] : null);
}

/// <summary>A person in an organisation.</summary>
internal sealed record MemberRow(Guid UserId, string Email, string? Name, Role Role, DateTime CreatedAt, DateTime? LastSeenAt);

internal static class OrgQueries
{
    public static IQueryable<Organisation> OrgsSeenBy(this FlapjackDb db, Caller caller)
    {
        Guid[] ids = caller.Kind == CallerKind.User ? [.. caller.Roles.Keys] : [caller.OrgId];
        return db.Organisations.AsNoTracking().Where(o => ids.Contains(o.Id) && o.DeletedAt == null);
    }

    public static IQueryable<OrgRow> WithMemberCount(this IQueryable<Organisation> orgs, FlapjackDb db) =>
        orgs.Select(o => new OrgRow(o.Id, o.Name, o.Slug, o.CreatedAt, db.Memberships.Count(m => m.OrgId == o.Id)));

    public static async Task<OrgRow> FindOrgAsync(this FlapjackDb db, Guid orgId, CancellationToken cancellationToken) =>
        await db.Organisations.AsNoTracking().Where(o => o.Id == orgId && o.DeletedAt == null).WithMemberCount(db).FirstOrDefaultAsync(cancellationToken) ?? throw ApiException.NotFound("Organisation");

    /// <summary>The people of an organisation, newest first.</summary>
    public static IQueryable<MemberRow> MembersOf(this FlapjackDb db, Guid orgId) =>
        from membership in db.Memberships
        join user in db.Users on membership.UserId equals user.Id
        where membership.OrgId == orgId
        orderby membership.CreatedAt descending, user.Id descending
        select new MemberRow(user.Id, user.Email, user.Name, membership.Role, membership.CreatedAt, user.LastSeenAt);

    public static async Task<MemberRow> FindMemberAsync(this FlapjackDb db, Guid orgId, Guid userId, CancellationToken cancellationToken) =>
        await (from membership in db.Memberships
               join user in db.Users on membership.UserId equals user.Id
               where membership.OrgId == orgId && membership.UserId == userId
               select new MemberRow(user.Id, user.Email, user.Name, membership.Role, membership.CreatedAt, user.LastSeenAt)).FirstOrDefaultAsync(cancellationToken) ?? throw ApiException.NotFound("Member");
}
