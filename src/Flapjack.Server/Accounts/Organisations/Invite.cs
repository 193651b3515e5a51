using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Accounts.Organisations;

/// <summary>The right to open an account and join an organisation with it, once.</summary>
internal sealed class Invite : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>Whom it is for; null = whoever holds the token.</summary>
    public string? Email { get; init; }

    public required Role Role { get; init; }
    public required string TokenHash { get; init; }
    public Guid? CreatedBy { get; init; }
    public required DateTime CreatedAt { get; init; }
    public required DateTime ExpiresAt { get; init; }
    public DateTime? UsedAt { get; set; }

    public bool IsFor(string email, DateTime now) => UsedAt is null && ExpiresAt > now && (Email is null || Email == email);
}

internal sealed class InviteMapping : IEntityTypeConfiguration<Invite>
{
    public void Configure(EntityTypeBuilder<Invite> builder)
    {
        builder.ToTable("invites");
        builder.HasIndex(i => i.TokenHash).IsUnique();
        builder.HasIndex(i => new { i.OrgId, i.CreatedAt });
        builder.Property(i => i.Role).HasConversion<string>();
        // Of two sign-ups with the same invite only one may succeed.
        builder.Property(i => i.UsedAt).IsConcurrencyToken();
    }
}
