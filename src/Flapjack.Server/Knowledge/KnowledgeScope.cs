using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Knowledge;

/// <summary>An organisation, agent or thread that was given documents. Search goes by scopes; what it knows of one in memory holds for one <see cref="Version"/>.</summary>
internal sealed class KnowledgeScope : ITenantRow
{
    public long Number { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>One of <see cref="ScopeTypes"/>.</summary>
    public required string Type { get; init; }

    public required Guid ScopeId { get; init; }

    /// <summary>Counts the changes of what can be found.</summary>
    public required long Version { get; init; }

    /// <summary>What can be found: pieces of documents, and words in them.</summary>
    public required long Chunks { get; init; }

    public required long Words { get; init; }
}

internal static class ScopeTypes
{
    public const string Org = "org", Agent = "agent", Thread = "thread", Runner = "runner";
}

internal sealed class KnowledgeScopeMapping : IEntityTypeConfiguration<KnowledgeScope>
{
    public void Configure(EntityTypeBuilder<KnowledgeScope> builder)
    {
        builder.ToTable("knowledge_scopes");
        builder.HasKey(s => s.Number);
        builder.HasIndex(s => s.ScopeId).IsUnique();
        builder.HasIndex(s => new { s.OrgId, s.Type });
    }
}
