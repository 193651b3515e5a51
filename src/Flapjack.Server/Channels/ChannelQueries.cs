using Flapjack.Server.Platform.Http;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels;

internal static class ChannelQueries
{
    public static IQueryable<Channel> OfAgent(this IQueryable<Channel> channels, Guid agentId) => channels.Where(c => c.AgentId == agentId && c.RemovedAt == null);

    public static async Task<Channel> FindChannelAsync(this IQueryable<Channel> channels, Guid agentId, Guid channelId, CancellationToken cancellationToken) =>
        await channels.OfAgent(agentId).FirstOrDefaultAsync(c => c.Id == channelId, cancellationToken) ?? throw ApiException.NotFound("Channel");

    public static IQueryable<ChannelContact> Search(this IQueryable<ChannelContact> contacts, string? text)
    {
        if (string.IsNullOrEmpty(text)) return contacts;
        var needle = text.ToLowerInvariant();
#pragma warning disable CA1304, CA1311, CA1862 // Translated to SQL lower(), which knows no culture.
        return contacts.Where(c => c.ExternalId.ToLower().Contains(needle) || c.DisplayName != null && c.DisplayName.ToLower().Contains(needle));
#pragma warning restore CA1304, CA1311, CA1862
    }
}
