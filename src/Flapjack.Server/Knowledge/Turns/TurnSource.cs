using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Knowledge.Turns;

/// <summary>A chunk that was put into the prompt of a turn, as it was then. It goes with its document.</summary>
internal sealed class TurnSource : ITenantRow
{
    public required Guid TurnId { get; init; }

    /// <summary>Whose prompt: several agents may answer in one turn.</summary>
    public required Guid AgentId { get; init; }

    /// <summary>From 0, best first.</summary>
    public required int Rank { get; init; }

    public required Guid OrgId { get; init; }
    public Guid? ThreadId { get; init; }
    public required Guid DocumentId { get; init; }
    public required Guid ChunkId { get; init; }
    public required string Title { get; init; }
    public required string SourceRef { get; init; }
    public required string ScopeType { get; init; }
    public required int Position { get; init; }
    public int? Page { get; init; }
    public required double Score { get; init; }
    public required string Text { get; init; }
}

internal sealed class TurnSourceMapping : IEntityTypeConfiguration<TurnSource>
{
    public void Configure(EntityTypeBuilder<TurnSource> builder)
    {
        builder.ToTable("turn_sources");
        builder.HasKey(s => new { s.TurnId, s.AgentId, s.Rank });
        builder.HasIndex(s => s.DocumentId);
        builder.HasIndex(s => s.ThreadId);
    }
}
