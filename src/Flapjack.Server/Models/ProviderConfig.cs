using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Models;

/// <summary>An organisation's own access to a provider of models or web tools.</summary>
internal sealed class ProviderConfig : ITenantRow
{
    public required Guid OrgId { get; init; }
    public required string Provider { get; init; }
    public required string Kind { get; set; }

    /// <summary>Encrypted.</summary>
    public string? ApiKey { get; set; }

    public string? BaseUrl { get; set; }

    /// <summary>Encrypted JSON object name → value.</summary>
    public string? Headers { get; set; }

    /// <summary>JSON array of model records.</summary>
    public string Models { get; set; } = "[]";

    public bool Enabled { get; set; } = true;
    public required DateTime UpdatedAt { get; set; }

    public const string ApiKeyField = "api_key", HeadersField = "headers";

    /// <summary>What a secret of a provider is bound to.</summary>
    public static string Place(Guid orgId, string provider, string field) => $"{orgId}/providers/{provider}/{field}";
}

internal sealed class ProviderConfigMapping : IEntityTypeConfiguration<ProviderConfig>
{
    public void Configure(EntityTypeBuilder<ProviderConfig> builder)
    {
        builder.ToTable("providers");
        builder.HasKey(p => new { p.OrgId, p.Provider });
    }
}
