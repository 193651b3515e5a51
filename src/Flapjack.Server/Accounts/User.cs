using Flapjack.Server.Platform.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Accounts;

/// <summary>A person with an account on this server.</summary>
internal sealed class User
{
    public required Guid Id { get; init; }

    /// <summary>Lower case; unique on the server.</summary>
    public required string Email { get; set; }

    /// <summary>An operator or an issuer vouched for the address. Who signs up has not proved it, with an invite neither, since whoever invites can read the invite; so no issuer's word about the address opens that account.</summary>
    public bool EmailConfirmed { get; init; } = true;

    public string? Name { get; set; }

    /// <summary>Null until the person sets one; until then login links are the only way in.</summary>
    public string? PasswordHash { get; set; }

    public required Guid DefaultOrgId { get; set; }
    public required DateTime CreatedAt { get; init; }
    public DateTime? LastSeenAt { get; set; }

    /// <summary>Enough to tell an address from a slip: something before and after one @, nothing blank.</summary>
    public static bool IsAddress(string email) => email.Length <= 320 && email.Count(c => c == '@') == 1 && email.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && at < email.Length - 1 && !email.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));

    /// <summary>How an address is stored and looked up.</summary>
    public static string Normalise(string email) => email.Trim().ToLowerInvariant();

    /// <summary>Notes that the person was here; to the minute is enough and saves writes.</summary>
    public void Seen(DateTime now)
    {
        if (IsStale(LastSeenAt, now)) LastSeenAt = now;
    }

    public static bool IsStale(DateTime? lastSeen, DateTime now) => lastSeen is not { } seen || seen < now.AddMinutes(-1);
}

/// <summary>A user's role in an organisation.</summary>
internal sealed class Membership
{
    public required Guid OrgId { get; init; }
    public required Guid UserId { get; init; }
    public required Role Role { get; set; }
    public required DateTime CreatedAt { get; init; }
}

internal sealed class UserMapping : IEntityTypeConfiguration<User>
{
    public void Configure(EntityTypeBuilder<User> builder)
    {
        builder.ToTable("users");
        builder.HasIndex(u => u.Email).IsUnique();
    }
}

internal sealed class MembershipMapping : IEntityTypeConfiguration<Membership>
{
    public void Configure(EntityTypeBuilder<Membership> builder)
    {
        builder.ToTable("memberships");
        builder.HasKey(m => new { m.OrgId, m.UserId });
        builder.HasIndex(m => m.UserId);
        builder.Property(m => m.Role).HasConversion<string>();
    }
}
