using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.McpServer;

/// <summary>A client's session. It stands in the database, so that every node can go on with it.</summary>
internal sealed class McpSession : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>The agent of the endpoint it was begun at; null = the whole organisation.</summary>
    public Guid? AgentId { get; init; }

    /// <summary>Key or account that began it; nobody else may use it.</summary>
    public required Guid CredentialId { get; init; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class McpSessionMapping : IEntityTypeConfiguration<McpSession>
{
    public void Configure(EntityTypeBuilder<McpSession> builder)
    {
        builder.ToTable("mcp_sessions");
        builder.HasIndex(s => s.CreatedAt);
    }
}
