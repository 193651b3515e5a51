using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Keys;

/// <summary>A credential of one organisation. Only its HMAC is kept.</summary>
internal sealed class ApiKey : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required string Name { get; init; }
    public required string Prefix { get; init; }
    public required string Hash { get; init; }

    /// <summary>Scopes separated by blanks; null = everything.</summary>
    public string? Scopes { get; init; }

    public Guid? CreatedBy { get; init; }
    public required DateTime CreatedAt { get; init; }
    public DateTime? ExpiresAt { get; init; }
    public DateTime? LastUsedAt { get; set; }
    public DateTime? RevokedAt { get; set; }

    /// <summary>The row for the key <paramref name="text"/>.</summary>
    public static ApiKey Create(string text, string hash, Guid orgId, string name, DateTime now, Guid? createdBy, string? scopes = null, DateTime? expiresAt = null) => new()
    {
        Id = Ids.New(), OrgId = orgId, Name = name, Prefix = ApiKeyFormat.Prefix(text), Hash = hash, Scopes = scopes, CreatedBy = createdBy, CreatedAt = now, ExpiresAt = expiresAt,
    };

    public string[]? ScopeList => Scopes?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

internal sealed class ApiKeyMapping : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.ToTable("api_keys");
        builder.Ignore(k => k.ScopeList);
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.HasIndex(k => new { k.OrgId, k.CreatedAt });
    }
}
