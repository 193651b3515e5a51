using System.Text;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Platform.Settings;

/// <summary>Somebody else whose tokens are believed, and what they make of their people here.</summary>
internal sealed record OidcIssuer
{
    public required string Issuer { get; init; }
    public required string Audience { get; init; }
    public required Uri? JwksUri { get; init; }

    /// <summary>HS256 with this secret instead of public keys.</summary>
    public required string? SharedSecret { get; init; }

    public required bool AutoProvision { get; init; }

    /// <summary>Slug or id.</summary>
    public required string? DefaultOrg { get; init; }

    public required Role DefaultRole { get; init; }
    public required string EmailClaim { get; init; }
    public required string? RoleClaim { get; init; }
    public required string? OrgClaim { get; init; }

    /// <summary>A record's own text would print the secret.</summary>
    public override string ToString() => Issuer;

    public static IReadOnlyList<OidcIssuer> ReadAll(SettingsReader s)
    {
        var allowed = new AllowedHosts(s.List("Network:AllowedHosts").Where(entry => AllowedHosts.Fault(entry) is null));
        var issuers = s.Sections("Auth:Oidc:Issuers").Select(section => Read(s, section, allowed)).ToList();
        foreach (var twice in issuers.GroupBy(i => i.Issuer).Where(g => g.Count() > 1)) s.Refuse("Auth:Oidc:Issuers", $"'{twice.Key}' stands there twice");
        return issuers;
    }

    private static OidcIssuer Read(SettingsReader s, IConfigurationSection section, AllowedHosts allowed)
    {
        var issuer = new OidcIssuer
        {
            Issuer = section["Issuer"]?.Trim() ?? "",
            Audience = section["Audience"]?.Trim() ?? "",
            JwksUri = Text(section, "JwksUri") is { } jwks ? Address(s, $"{section.Path}:JwksUri", jwks, allowed) : null,
            SharedSecret = Text(section, "SharedSecret"),
            AutoProvision = Flag(s, section, "AutoProvision"),
            DefaultOrg = Text(section, "DefaultOrg"),
            DefaultRole = RoleIn(s, section, "DefaultRole"),
            EmailClaim = Text(section, "EmailClaim") ?? "email",
            RoleClaim = Text(section, "RoleClaim"),
            OrgClaim = Text(section, "OrgClaim"),
        };
        if (issuer.Issuer.Length == 0) s.Refuse($"{section.Path}:Issuer", "is required");
        else Address(s, $"{section.Path}:Issuer", issuer.Issuer, allowed);
        if (issuer.Audience.Length == 0) s.Refuse($"{section.Path}:Audience", "is required");
        // HS256 is as strong as its secret; RFC 7518 asks for the length of the hash.
        if (issuer.SharedSecret is { } secret && Encoding.UTF8.GetByteCount(secret) < 32) s.Refuse($"{section.Path}:SharedSecret", "must have at least 32 bytes");
        if (issuer.SharedSecret is not null && issuer.JwksUri is not null) s.Refuse($"{section.Path}:JwksUri", "has no effect beside SharedSecret; remove one of them");
        if (issuer is { AutoProvision: true, DefaultOrg: null, OrgClaim: null }) s.Refuse($"{section.Path}:DefaultOrg", "is required with AutoProvision unless OrgClaim says where people belong");
        return issuer;
    }

    private static Uri? Address(SettingsReader s, string key, string text, AllowedHosts allowed)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) s.Refuse(key, $"'{text}' is not an https address");
        else if (!allowed.AllowsScheme(uri)) s.Refuse(key, $"'{text}' must be https unless its host is in Network:AllowedHosts");
        return uri;
    }

    private static string? Text(IConfigurationSection section, string name) => string.IsNullOrWhiteSpace(section[name]) ? null : section[name]!.Trim();

    private static bool Flag(SettingsReader s, IConfigurationSection section, string name)
    {
        var text = Text(section, name);
        if (text is null or "0") return false;
        if (text == "1" || bool.TryParse(text, out var value) && value) return true;
        if (!bool.TryParse(text, out _)) s.Refuse($"{section.Path}:{name}", $"'{text}' is not true or false");
        return false;
    }

    private static Role RoleIn(SettingsReader s, IConfigurationSection section, string name)
    {
        switch (Text(section, name)?.ToLowerInvariant())
        {
            case null or "member": return Role.Member;
            case "viewer": return Role.Viewer;
            case "admin": return Role.Admin;
            case "owner": return Role.Owner;
            case var text:
                s.Refuse($"{section.Path}:{name}", $"'{text}' is not one of viewer, member, admin, owner");
                return Role.Viewer;
        }
    }
}
