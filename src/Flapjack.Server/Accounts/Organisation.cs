using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Accounts;

/// <summary>The owner of everything: agents, keys, threads, money.</summary>
internal sealed class Organisation
{
    public required Guid Id { get; init; }
    public required string Name { get; set; }
    public required string Slug { get; set; }
    public required DateTime CreatedAt { get; init; }

    /// <summary>Encrypted; null = the server's own secret signs for this organisation.</summary>
    public string? SigningSecret { get; set; }

    public DateTime? SigningSecretRotatedAt { get; set; }

    /// <summary>Set when it was deleted; what is left of it is being cleared away. Nobody belongs to it any more.</summary>
    public DateTime? DeletedAt { get; set; }
}

internal sealed class OrganisationMapping : IEntityTypeConfiguration<Organisation>
{
    public void Configure(EntityTypeBuilder<Organisation> builder)
    {
        builder.ToTable("organisations");
        builder.HasIndex(o => o.Slug).IsUnique();
    }
}
