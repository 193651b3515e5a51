using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>How an agent might be improved. Somebody reads it; nothing applies it.</summary>
internal sealed class Suggestion : ITenantRow
{
    public const string Api = "api", Model = "model", Medium = "medium", Prompt = "prompt";
    public const int MaxTitle = 300, MaxDetail = 5_000;

    public static readonly string[] Categories = [Prompt, "tools", "knowledge", "model", "safety", "cost"];
    public static readonly string[] Severities = ["low", Medium, "high"];

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>One of <see cref="Categories"/>.</summary>
    public required string Category { get; init; }

    /// <summary>One of <see cref="Severities"/>.</summary>
    public required string Severity { get; init; }

    public required string Title { get; init; }
    public string? Detail { get; init; }

    /// <summary>JSON object that <see cref="SuggestionPatch"/> found fit; null = no change is proposed.</summary>
    public string? Patch { get; init; }

    public bool Dismissed { get; set; }
    public DateTime? DismissedAt { get; set; }

    /// <summary><see cref="Api"/> or <see cref="Model"/>.</summary>
    public required string Source { get; init; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class SuggestionMapping : IEntityTypeConfiguration<Suggestion>
{
    public void Configure(EntityTypeBuilder<Suggestion> builder)
    {
        builder.ToTable("agent_suggestions");
        builder.HasIndex(s => new { s.AgentId, s.CreatedAt });
    }
}
