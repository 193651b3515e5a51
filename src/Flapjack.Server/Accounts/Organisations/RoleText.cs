using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>Roles as the wire spells them.</summary>
internal static class RoleText
{
    public static string Of(Role role) => role switch { Role.Viewer => "viewer", Role.Member => "member", Role.Admin => "admin", _ => "owner" };

    /// <summary>Null for anything that is no role.</summary>
    public static Role? Parse(string? text) => text switch { "viewer" => Role.Viewer, "member" => Role.Member, "admin" => Role.Admin, "owner" => Role.Owner, _ => null };

    /// <summary>A role in a body; null when absent or faulty.</summary>
    public static Role? RoleIn(this FieldErrors errors, string field, string? value)
    {
        errors.OneOf(field, value, "viewer", "member", "admin", "owner");
        return Parse(value);
    }
}
