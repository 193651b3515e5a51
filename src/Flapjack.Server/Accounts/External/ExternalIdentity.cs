using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Accounts.External;

/// <summary>Which account the subject of another issuer's tokens is.</summary>
internal sealed class ExternalIdentity
{
    public required string Issuer { get; init; }
    public required string Subject { get; init; }
    public required Guid UserId { get; init; }
    public required DateTime CreatedAt { get; init; }
}

internal sealed class ExternalIdentityMapping : IEntityTypeConfiguration<ExternalIdentity>
{
    public void Configure(EntityTypeBuilder<ExternalIdentity> builder)
    {
        builder.ToTable("external_identities");
        builder.HasKey(e => new { e.Issuer, e.Subject });
        builder.HasIndex(e => e.UserId);
    }
}
