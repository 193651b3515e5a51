using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>An authorisation that somebody was sent to and has not come back from. Used once; then, or after ten minutes, it is gone.</summary>
internal sealed class McpAuthorization : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid McpServerId { get; init; }

    /// <summary>For whom it was started; null when nobody is known.</summary>
    public string? UserId { get; init; }

    /// <summary>Encrypted: the PKCE verifier.</summary>
    public required string Verifier { get; init; }

    /// <summary>Encrypted <see cref="OAuthClient"/>, as it was when the authorisation started.</summary>
    public required string Client { get; init; }

    /// <summary>Path on this server for the browser afterwards.</summary>
    public string? RedirectAfter { get; init; }

    public required DateTime ExpiresAt { get; init; }
}

internal sealed class McpAuthorizationMapping : IEntityTypeConfiguration<McpAuthorization>
{
    public void Configure(EntityTypeBuilder<McpAuthorization> builder)
    {
        builder.ToTable("mcp_authorizations");
        builder.HasIndex(a => a.ExpiresAt);
        builder.HasIndex(a => a.McpServerId);
    }
}
