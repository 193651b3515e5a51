using System.Text.Json;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>How an agent is presented to people who look for one.</summary>
internal sealed class MarketplaceProfile : ITenantRow
{
    public const string Draft = "draft", Listed = "listed";

    public required Guid AgentId { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>Unique on the server; see <see cref="MarketplaceHandle"/>.</summary>
    public required string Handle { get; set; }

    /// <summary>Null = the agent's name.</summary>
    public string? DisplayName { get; set; }

    /// <summary>Null = the beginning of the agent's description.</summary>
    public string? Tagline { get; set; }

    /// <summary>Null = the agent's.</summary>
    public string? Description { get; set; }

    /// <summary>JSON array of texts.</summary>
    public string Capabilities { get; set; } = "[]";

    /// <summary>JSON array of texts.</summary>
    public string Categories { get; set; } = "[]";

    /// <summary><see cref="Draft"/> or <see cref="Listed"/>.</summary>
    public string Visibility { get; set; } = Draft;

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    public static List<string> ListOf(string json) => JsonSerializer.Deserialize<List<string>>(json)!;
}

/// <summary>The picture of a profile, as it was sent. A new picture is a new row under a new id, so that whoever has an address may keep what it showed.</summary>
/// <remarks>Two megabytes at most and written seldom, so unlike a file it lies in one piece (decision 0014).</remarks>
internal sealed class MarketplaceAvatar : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>By its content.</summary>
    public required string MediaType { get; init; }

    /// <summary>Lower-case hex.</summary>
    public required string Sha256 { get; init; }

    public required byte[] Content { get; init; }
    public required DateTime CreatedAt { get; init; }
}

internal sealed class MarketplaceProfileMapping : IEntityTypeConfiguration<MarketplaceProfile>
{
    public void Configure(EntityTypeBuilder<MarketplaceProfile> builder)
    {
        builder.ToTable("marketplace_profiles");
        builder.HasKey(p => p.AgentId);
        builder.HasIndex(p => p.Handle).IsUnique();
    }
}

internal sealed class MarketplaceAvatarMapping : IEntityTypeConfiguration<MarketplaceAvatar>
{
    public void Configure(EntityTypeBuilder<MarketplaceAvatar> builder)
    {
        builder.ToTable("marketplace_avatars");
        builder.HasIndex(a => a.AgentId).IsUnique();
    }
}
