using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Agents.Configs;

/// <summary>A config sub-resource as the server knows it: a record whose initial values are the defaults.</summary>
/// <remarks>Fields may be added freely: what was saved before has their defaults. Secrets stand in it encrypted.</remarks>
internal interface IAgentConfig
{
    /// <summary>The last part of its address, <c>/api/agents/{agentId}/&lt;name&gt;</c>; also its name in the database.</summary>
    static abstract string Name { get; }
}

/// <summary>A config with the time of its last change.</summary>
/// <param name="Value">What holds: saved values, and defaults for the rest.</param>
/// <param name="UpdatedAt">Null when it was never saved.</param>
internal sealed record SavedConfig<T>(T Value, DateTime? UpdatedAt) where T : IAgentConfig;

/// <summary>One saved config of an agent.</summary>
internal sealed class AgentConfig : ITenantRow
{
    public required Guid AgentId { get; init; }

    /// <summary><see cref="IAgentConfig.Name"/>.</summary>
    public required string Name { get; init; }

    public required Guid OrgId { get; init; }

    /// <summary>The record as JSON.</summary>
    public required string Value { get; set; }

    /// <summary>Counts the changes, so that two at once do not undo each other.</summary>
    public required int Version { get; set; }

    public required DateTime UpdatedAt { get; set; }
}

internal sealed class AgentConfigMapping : IEntityTypeConfiguration<AgentConfig>
{
    public void Configure(EntityTypeBuilder<AgentConfig> builder)
    {
        builder.ToTable("agent_configs");
        builder.HasKey(c => new { c.AgentId, c.Name });
        builder.Property(c => c.Version).IsConcurrencyToken();
    }
}
