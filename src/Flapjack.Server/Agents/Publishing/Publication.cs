using System.Text.Json;
using System.Text.RegularExpressions;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Agents.Publishing;

/// <summary>An agent that people talk to without an account, at <c>/chat/{slug}</c>. Its row stays when it ends, so that nobody else gets its address.</summary>
internal sealed partial class Publication : ITenantRow
{
    public const string Public = "public", Private = "private";

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>Unique on the server.</summary>
    public required string Slug { get; init; }

    /// <summary><see cref="Public"/>: the address suffices; <see cref="Private"/>: visitors need a session.</summary>
    public string Visibility { get; set; } = Public;

    /// <summary>Null = the agent's name.</summary>
    public string? Title { get; set; }

    /// <summary>Null = the agent's.</summary>
    public string? Description { get; set; }

    public string? WelcomeMessage { get; set; }

    /// <summary>JSON array of texts.</summary>
    public string SuggestedPrompts { get; set; } = "[]";

    /// <summary>JSON array of origins; null = any.</summary>
    public string? AllowedOrigins { get; set; }

    public bool AllowAttachments { get; set; }

    /// <summary>Whether visitors see arguments and results of tool calls.</summary>
    public bool ExposeToolDetails { get; set; }

    public bool IsActive { get; set; } = true;
    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    public bool IsPrivate => Visibility == Private;

    public IReadOnlyList<string> Prompts => ListOf(SuggestedPrompts)!;

    /// <summary>Origins whose pages may use the chat; null = any.</summary>
    public IReadOnlyList<string>? Origins => ListOf(AllowedOrigins);

    public static bool IsSlug(string? text) => text is not null && SlugForm().IsMatch(text);

    private static List<string>? ListOf(string? json) => json is null ? null : JsonSerializer.Deserialize<List<string>>(json);

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{1,62}\z")]
    private static partial Regex SlugForm();
}

internal sealed class PublicationMapping : IEntityTypeConfiguration<Publication>
{
    public void Configure(EntityTypeBuilder<Publication> builder)
    {
        builder.ToTable("publications");
        builder.HasIndex(p => p.Slug).IsUnique();
        builder.HasIndex(p => new { p.AgentId, p.CreatedAt });
    }
}
