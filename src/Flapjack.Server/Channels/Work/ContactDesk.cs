using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Work;

/// <summary>Knows who writes to a channel, and in which thread they are.</summary>
internal sealed class ContactDesk(ChannelInbox inbox, IWriter writer, ThreadOpening threads, Databases databases, TimeProvider time)
{
    /// <summary>The contact of a message; null when nobody is to answer it.</summary>
    public async Task<ChannelContact?> AdmitAsync(OpenedChannel channel, InboundMessage message, CancellationToken cancellationToken)
    {
        if (!channel.Config.Allows(message.Contact, message.SenderId ?? message.Contact)) return null;
        if (await FindAsync(channel.Row, message.Contact, cancellationToken) is { } known) return known.Blocked ? null : known;
        var now = time.Now();
        await writer.WriteAsync([InboxSql.AddContact(new()
        {
            Id = Ids.New(), OrgId = channel.Row.OrgId, ChannelId = channel.Row.Id, ExternalId = message.Contact, DisplayName = message.ContactName, FirstSeenAt = now, LastSeenAt = now,
        })], cancellationToken);
        return await FindAsync(channel.Row, message.Contact, cancellationToken);
    }

    /// <summary>Notes in which thread the message is answered, and by which turn, before that turn begins; with it the greeting of a new contact.</summary>
    public async Task AssignAsync(ChannelEvent e, OpenedChannel channel, ChannelContact contact, InboundMessage message, CancellationToken cancellationToken)
    {
        var thread = await CurrentAsync(channel, contact, cancellationToken) ?? await OpenAsync(channel, contact, message, cancellationToken);
        var greeting = contact.MessageCount == 0 && channel.Config.Greeting is { } text ? Outbox.ToText([new(text, null)]) : null;
        var turn = Ids.New();
        await inbox.WriteAsync(e, InboxSql.NoteTurn(e.Number, thread, turn, greeting), InboxSql.CountContact(contact.Id, time.Now(), thread, message.ContactName));
        (e.ThreadId, e.TurnId, e.Outbox, e.Attempts) = (thread, turn, greeting, 0);
    }

    /// <summary>The contact's next message begins a new thread.</summary>
    public SqlStatement Reset(ChannelContact contact) => InboxSql.ResetContact(contact.Id, time.Now());

    /// <summary>Whom turns of a contact are for. Its kind belongs to it: an id of one provider must not be taken for that of another, or of a user.</summary>
    public static string UserOf(Channel channel, string externalId) => $"{channel.Kind}:{externalId}";

    private async Task<ChannelContact?> FindAsync(Channel channel, string externalId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(channel.OrgId);
        return await db.ChannelContacts.AsNoTracking().FirstOrDefaultAsync(c => c.ChannelId == channel.Id && c.ExternalId == externalId, cancellationToken);
    }

    // The thread they are in, unless they were silent too long, or it is gone.
    private async Task<Guid?> CurrentAsync(OpenedChannel channel, ChannelContact contact, CancellationToken cancellationToken)
    {
        var hours = channel.Config.SessionHours;
        if (contact.ThreadId is not { } current || hours > 0 && time.Now() - contact.LastSeenAt >= TimeSpan.FromHours(hours)) return null;
        await using var db = databases.Open(channel.Row.OrgId);
        return await db.Threads.AnyAsync(t => t.Id == current && t.AgentId == channel.Row.AgentId && t.Status == "active", cancellationToken) ? current : null;
    }

    private async Task<Guid> OpenAsync(OpenedChannel channel, ChannelContact contact, InboundMessage message, CancellationToken cancellationToken)
    {
        var row = channel.Row;
        var access = new CallerContext();
        access.EnterOrg(row.OrgId);
        var metadata = JsonSerializer.Serialize(new Dictionary<string, object?> { ["channelId"] = row.Id, ["channelKind"] = row.Kind, ["contactId"] = contact.Id }, WireJson.Responses);
        var title = $"{contact.DisplayName ?? message.ContactName ?? contact.ExternalId} ({row.Name})";
        var draft = new ThreadDraft(title.Length <= 300 ? title : title[..300], ThreadKinds.Single, null, null, "[]", UserOf(row, contact.ExternalId), metadata);
        return (await threads.OpenAsync(draft, row.AgentId, access, cancellationToken) ?? throw ApiException.NotFound("Agent")).Id;
    }
}
