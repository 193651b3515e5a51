using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Integrations;

/// <summary>A database of an organisation that its agents may read.</summary>
internal sealed class Integration : ITenantRow
{
    public const string Postgres = "postgres", Supabase = "supabase";
    public const string Active = "active", Error = "error";

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required string Name { get; set; }

    /// <summary>Both kinds speak PostgreSQL's protocol.</summary>
    public required string Kind { get; init; }

    /// <summary>The connection string, encrypted.</summary>
    public required string Connection { get; set; }

    public required string Host { get; set; }
    public required string Database { get; set; }

    /// <summary>JSON array; tables of the first are called by their bare names.</summary>
    public required string Schemas { get; set; }

    public string Status { get; set; } = Error;

    /// <summary>Code and reason of the last failed introspection, without connection details.</summary>
    public string? LastError { get; set; }

    /// <summary>JSON array: <c>superuser</c>, <c>owner</c>, <c>can_write</c>.</summary>
    public string Warnings { get; set; } = "[]";

    /// <summary>The cached schema, a JSON array of <see cref="DatabaseTable"/>. Identifiers in queries come from here only.</summary>
    public string Tables { get; set; } = "[]";

    public int TableCount { get; set; }
    public DateTime? IntrospectedAt { get; set; }
    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    /// <summary>What the connection string of an integration is bound to.</summary>
    public static string Place(Guid orgId, Guid id) => $"{orgId}/integrations/{id}/connection";
}

/// <summary>An integration in the hands of an agent.</summary>
internal sealed class AgentIntegration : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }
    public required Guid IntegrationId { get; init; }

    /// <summary>JSON array of <c>table</c> or <c>schema.table</c>; null = all tables.</summary>
    public string? AllowedTables { get; set; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class IntegrationMapping : IEntityTypeConfiguration<Integration>
{
    public void Configure(EntityTypeBuilder<Integration> builder)
    {
        builder.ToTable("integrations");
        builder.HasKey(i => i.Id);
        builder.HasIndex(i => new { i.OrgId, i.CreatedAt });
    }
}

internal sealed class AgentIntegrationMapping : IEntityTypeConfiguration<AgentIntegration>
{
    public void Configure(EntityTypeBuilder<AgentIntegration> builder)
    {
        builder.ToTable("agent_integrations");
        builder.HasKey(a => a.Id);
        builder.HasIndex(a => new { a.AgentId, a.IntegrationId }).IsUnique();
        builder.HasIndex(a => a.IntegrationId);
    }
}
