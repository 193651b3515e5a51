using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Agents;

/// <summary>A configured assistant: prompt, model, limits, profiles.</summary>
internal sealed class Agent : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required string Name { get; set; }
    public string? Description { get; set; }
    public string? StablePreamble { get; set; }
    public required string DefaultModel { get; set; }
    public double? Temperature { get; set; }

    /// <summary>JSON object of profiles as the client gave it; null = none.</summary>
    public string? ToolProfiles { get; set; }

    public string? DefaultProfile { get; set; }
    public bool ScheduledTasksEnabled { get; set; }
    public string? RuntimeProvider { get; set; }
    public Guid? ProjectId { get; set; }
    public int MaxToolCalls { get; set; } = 10;
    public int? MaxOutputTokens { get; set; }

    /// <summary>JSON object.</summary>
    public string Metadata { get; set; } = "{}";

    /// <summary>Counts the changes of what the agent has been given; see <see cref="Equipment.AgentEquipment"/>. Zero = never anything.</summary>
    public long Equipment { get; set; }

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    /// <summary>Not one of the organisation's own: no list shows it, no id finds it.</summary>
    public bool Hidden { get; init; }

    /// <summary>Threads outlive their agent, so its row stays and is hidden.</summary>
    public DateTime? DeletedAt { get; set; }
}

internal sealed class AgentMapping : IEntityTypeConfiguration<Agent>
{
    public void Configure(EntityTypeBuilder<Agent> builder)
    {
        builder.ToTable("agents");
        builder.HasIndex(a => new { a.OrgId, a.CreatedAt });
    }
}
