using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Conversations;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Outbound;

/// <summary>Puts into the queue what contacts are told without having asked: answers of scheduled tasks in their threads, and messages of an agent. From there they go the way of every answer, with its order, its retries and its crashes.</summary>
internal sealed class ChannelPost(Databases databases, IWriter writer, ChannelInbox inbox, ChannelProviders providers, ChannelVault vault, TimeProvider time) : IAnswerDelivery
{
    public async Task<IReadOnlyList<SqlStatement>> OfAsync(Guid orgId, Guid threadId, Guid turnId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var contacts = await db.ChannelContacts.AsNoTracking().Where(c => c.ThreadId == threadId && !c.Blocked && db.Channels.Any(h => h.Id == c.ChannelId && h.Enabled && h.RemovedAt == null)).ToListAsync(cancellationToken);
        return contacts.ConvertAll(contact => InboxSql.Await(contact, MessageTo(contact, $"turn:{turnId}"), threadId, turnId, time.Now()));
    }

    /// <summary>Sends a text to a contact of the agent. False when the agent has no such contact, or it is blocked, or its channel is off.</summary>
    public async Task<bool> SendAsync(Guid orgId, Guid agentId, Guid contactId, string text, string key, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var found = await (from contact in db.ChannelContacts.AsNoTracking()
                           join channel in db.Channels.AsNoTracking().OfAgent(agentId) on contact.ChannelId equals channel.Id
                           where contact.Id == contactId && !contact.Blocked && channel.Enabled
                           select new { contact, channel }).FirstOrDefaultAsync(cancellationToken);
        if (found is null) return false;
        var provider = providers.Of(found.channel);
        var pieces = MessageSplitter.Split(text, provider.Length.Of(vault.Open(found.channel).Config), provider.Convert);
        await writer.WriteAsync([InboxSql.Post(found.contact, MessageTo(found.contact, key), Outbox.ToText([.. pieces.Select(piece => new OutboundPart(piece, null))]), time.Now())], cancellationToken);
        inbox.Wake();
        return true;
    }

    // Every provider takes the contact's own id as an address.
    private static InboundMessage MessageTo(ChannelContact contact, string id) => new(id, contact.ExternalId, contact.DisplayName, "", new(contact.ExternalId));
}
