using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Channels;

/// <summary>What changing a channel takes.</summary>
internal sealed record ChannelEditing(ChannelEditor Editor, ChannelProviders Providers, ChannelVault Vault, ChannelRegistration Registration, ChannelClearance Clearance, ChannelEditingContext Context)
{
    public ServerSettings Settings => Context.Settings;

    public TimeProvider Time => Context.Time;

    /// <summary>A new channel with an address of its own.</summary>
    public Channel NewRow(Guid orgId, Guid agentId, string kind, string? name)
    {
        var (id, token, now) = (Ids.New(), Channel.NewToken(), Time.Now());
        return new()
        {
            Id = id, OrgId = orgId, AgentId = agentId, Kind = kind, Name = name ?? kind, Status = ChannelStatuses.Pending,
            TokenHash = Channel.HashOf(token), Token = Vault.Seal(orgId, id, token), CreatedAt = now, UpdatedAt = now,
        };
    }
}

internal sealed record ChannelEditingContext(ServerSettings Settings, TimeProvider Time);
