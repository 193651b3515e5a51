using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Accounts;

/// <summary>One login of a user. Each refresh replaces the refresh token; an old one that comes back ends the session, since somebody stole it.</summary>
internal sealed class Session
{
    public required Guid Id { get; init; }
    public required Guid UserId { get; init; }

    /// <summary>HMAC of the one refresh token that is valid now. No refresh token has the value <see cref="External"/>, which marks the session of another issuer's token.</summary>
    public required string RefreshHash { get; set; }

    public required DateTime CreatedAt { get; init; }
    public required DateTime ExpiresAt { get; set; }
    public DateTime? RevokedAt { get; set; }

    /// <summary>Whether a login link opened it and no password was set since: whoever lost theirs cannot name it when they set a new one.</summary>
    public bool OpenedByLink { get; set; }

    public const string External = "external";

    public bool IsLive(DateTime now) => RevokedAt is null && ExpiresAt > now;
}

/// <summary>A single-use token that logs a user in without a password.</summary>
internal sealed class LoginLink
{
    public required Guid Id { get; init; }
    public required Guid UserId { get; init; }
    public required string TokenHash { get; init; }
    public required DateTime ExpiresAt { get; init; }
    public DateTime? UsedAt { get; set; }

    /// <summary>The person who made it for somebody else; null = the server's own command line.</summary>
    public Guid? CreatedBy { get; init; }

    public bool IsOpen(DateTime now) => UsedAt is null && ExpiresAt > now;
}

/// <summary>A key pair that signs access tokens; every node uses the newest.</summary>
internal sealed class SigningKey
{
    /// <summary>Id of a database's first key. Nodes that start together collide on it, so that only one of them sets the database up.</summary>
    public static readonly Guid FirstId = new("00000000-0000-7000-8000-000000000001");

    public required Guid Id { get; init; }

    /// <summary>Private key in PKCS#8, encrypted.</summary>
    public required string PrivateKey { get; init; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class SessionMapping : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> builder)
    {
        builder.ToTable("sessions");
        builder.HasIndex(s => s.UserId);
        builder.HasIndex(s => s.ExpiresAt);
        // Of two refreshes with the same token only one may succeed.
        builder.Property(s => s.RefreshHash).IsConcurrencyToken();
    }
}

internal sealed class LoginLinkMapping : IEntityTypeConfiguration<LoginLink>
{
    public void Configure(EntityTypeBuilder<LoginLink> builder)
    {
        builder.ToTable("login_links");
        builder.HasIndex(l => l.TokenHash).IsUnique();
        // Of two logins with the same link only one may succeed.
        builder.Property(l => l.UsedAt).IsConcurrencyToken();
    }
}

internal sealed class SigningKeyMapping : IEntityTypeConfiguration<SigningKey>
{
    public void Configure(EntityTypeBuilder<SigningKey> builder) => builder.ToTable("signing_keys");
}
