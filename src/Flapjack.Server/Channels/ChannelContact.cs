using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Channels;

/// <summary>Somebody who wrote to a channel, or a group that did, with the thread they are in.</summary>
internal sealed class ChannelContact : ITenantRow
{
    public const int MaxName = 200, MaxExternalId = 255;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid ChannelId { get; init; }

    /// <summary>The provider's id of the person or group.</summary>
    public required string ExternalId { get; init; }

    public string? DisplayName { get; set; }
    public Guid? ThreadId { get; set; }
    public bool Blocked { get; set; }
    public int MessageCount { get; set; }
    public required DateTime FirstSeenAt { get; init; }
    public required DateTime LastSeenAt { get; set; }
}

internal sealed class ChannelContactMapping : IEntityTypeConfiguration<ChannelContact>
{
    public void Configure(EntityTypeBuilder<ChannelContact> builder)
    {
        builder.ToTable("channel_contacts");
        builder.HasKey(c => c.Id);
        builder.HasIndex(c => new { c.ChannelId, c.ExternalId }).IsUnique();
        builder.HasIndex(c => new { c.ChannelId, c.LastSeenAt });
        builder.HasIndex(c => c.ThreadId).HasFilter("thread_id IS NOT NULL");
    }
}
