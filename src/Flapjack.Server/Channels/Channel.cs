using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Channels;

/// <summary>A way by which people outside talk to an agent.</summary>
internal sealed class Channel : ITenantRow
{
    public const int MaxError = 500;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }

    /// <summary>One of <see cref="ChannelKinds"/>.</summary>
    public required string Kind { get; init; }

    public required string Name { get; set; }
    public bool Enabled { get; set; } = true;

    /// <summary>One of <see cref="ChannelStatuses"/>.</summary>
    public required string Status { get; set; }

    /// <summary><see cref="ChannelConfig"/> as JSON.</summary>
    public string Config { get; set; } = "{}";

    /// <summary><see cref="ChannelCredentials"/> as JSON, encrypted.</summary>
    public string Credentials { get; set; } = "";

    /// <summary>SHA-256 of the token in the hook's address, by which the channel is found.</summary>
    public required string TokenHash { get; init; }

    /// <summary>The token itself, encrypted: it is shown as part of the address.</summary>
    public required string Token { get; init; }

    /// <summary>Code and reason of what last went wrong for good.</summary>
    public string? LastError { get; set; }

    public DateTime? LastInboundAt { get; set; }

    /// <summary>Set when it was deleted here and its webhook may still stand at the provider; nobody sees the row any more.</summary>
    public DateTime? RemovedAt { get; set; }

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    /// <summary>What a secret of a channel is bound to.</summary>
    public string PlaceOf(string field) => $"{OrgId}/channels/{Id}/{field}";

    public static string NewToken() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>Notes what went wrong for good.</summary>
    public void Fail(string error) => (Status, LastError) = (ChannelStatuses.Error, error.Length <= MaxError ? error : error[..MaxError]);
}

internal static class ChannelKinds
{
    public const string Telegram = "telegram", Slack = "slack", WhatsApp = "whatsapp", Webhook = "webhook";
}

internal static class ChannelStatuses
{
    /// <summary><see cref="Pending"/>: the provider has not shown yet that it knows the address.</summary>
    public const string Active = "active", Disabled = "disabled", Pending = "pending", Error = "error";
}

internal sealed class ChannelMapping : IEntityTypeConfiguration<Channel>
{
    public void Configure(EntityTypeBuilder<Channel> builder)
    {
        builder.ToTable("channels");
        builder.HasKey(c => c.Id);
        builder.HasIndex(c => new { c.AgentId, c.CreatedAt });
        builder.HasIndex(c => c.TokenHash).IsUnique();
        builder.HasIndex(c => c.RemovedAt).HasFilter("removed_at IS NOT NULL");
    }
}
