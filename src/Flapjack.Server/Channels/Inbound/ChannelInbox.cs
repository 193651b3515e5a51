using System.Collections.Concurrent;
using System.Data.Common;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>Messages that wait to be answered: stores them when they come, and gives each to one node at a time.</summary>
internal sealed class ChannelInbox(IWriter writer, IReader reader, Databases databases, InboxContext context) : IDisposable
{
    /// <summary>How long a node may be silent before others take its messages. By the database's clock.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<(long Number, long Claim), bool> _running = new();
    // One loop hands out the work.
    private readonly WorkBell _bell = new(1);

    /// <summary>Stores what came. When this returns, nothing of it gets lost any more; what came before is dropped.</summary>
    /// <exception cref="ApiException">503: too much of the channel waits already.</exception>
    public async Task StoreAsync(Channel channel, IReadOnlyList<InboundMessage> messages)
    {
        if (messages.Count == 0) return;
        var now = context.Time.Now();
        var cleaned = messages.Select(Clean).ToList();
        // Not the request's token: what was taken is stored, whether or not the provider still listens.
        var result = await WriteAsync([.. cleaned.Select(m => InboxSql.Store(channel, m, now, context.Settings.Channels.MaxWaiting)), InboxSql.NoteInbound(channel.Id, now)]);
        for (var i = 0; i < cleaned.Count; i++)
        {
            if (result.Affected[i] == 0 && await reader.ReadAsync(InboxSql.Known(channel.Id, cleaned[i].EventId), static row => row.Text(), CancellationToken.None) is null)
                throw ApiException.Unavailable("too many messages of this channel wait already; send it again later");
        }
        Wake();
    }

    private async Task<WriteResult> WriteAsync(SqlStatement[] unit)
    {
        try
        {
            return await writer.WriteAsync(unit);
        }
        catch (DbException fault) when (!DatabaseFaults.IsOutage(fault))
        {
            // The channel was deleted since it was looked up.
            throw ApiException.NotFound("Channel");
        }
    }

    /// <summary>The provider has shown that it knows the address.</summary>
    public Task NoteHandshakeAsync(Channel channel) => writer.WriteAsync([InboxSql.NoteHandshake(channel.Id)]);

    /// <summary>Something may be taken.</summary>
    public void Wake() => _bell.Ring();

    /// <summary>Waits until something may be taken, or the time is up.</summary>
    public Task WaitForWorkAsync(TimeSpan longest, CancellationToken cancellationToken) => _bell.WaitAsync(longest, context.Time, cancellationToken);

    /// <summary>Takes up to <paramref name="most"/> messages, which are this node's until <see cref="End"/>.</summary>
    public async Task<IReadOnlyList<ChannelEvent>> TakeAsync(int most, bool urgent, CancellationToken cancellationToken)
    {
        var taken = new List<ChannelEvent>();
        if (most == 0) return taken;
        foreach (var (number, org, claim) in await reader.ReadAllAsync(InboxSql.Waiting(context.Time.Now(), urgent), static row => (row.Long(), row.Id(), row.Long()), cancellationToken))
        {
            if (taken.Count == most) break;
            if ((await writer.WriteAsync([InboxSql.Claim(number, claim, context.Node.Value, Lease)], cancellationToken)).Affected[0] == 0) continue;
            await using var db = databases.Open(org);
            if (await db.ChannelEvents.AsNoTracking().FirstOrDefaultAsync(e => e.Number == number, CancellationToken.None) is not { } row) continue;
            _running[(number, row.Claim)] = true;
            taken.Add(row);
        }
        return taken;
    }

    /// <summary>Nobody here works on it any more. Unless it is finished or released, it is taken again when its lease ends.</summary>
    public void End(ChannelEvent e) => _running.TryRemove((e.Number, e.Claim), out _);

    /// <summary>Keeps what is worked on here, and nothing else.</summary>
    public Task RenewAsync() => Task.WhenAll(_running.Keys.Select(work => writer.WriteAsync([InboxSql.Renew(work.Number, work.Claim, Lease)])));

    /// <summary>Writes a unit if the message is still this node's.</summary>
    /// <exception cref="EventLostException">It is not.</exception>
    public async Task WriteAsync(ChannelEvent e, params SqlStatement[] statements)
    {
        if ((await writer.WriteAsync([InboxSql.Owned(e), .. statements])).Refused) throw new EventLostException();
    }

    /// <summary>The same where losing it changes nothing.</summary>
    public Task TryWriteAsync(ChannelEvent e, params SqlStatement[] statements) => writer.WriteAsync([InboxSql.Owned(e), .. statements]);

    /// <summary>Gives a message back, to be taken again from then on.</summary>
    public Task ReleaseAsync(ChannelEvent e, DateTime due, bool uncounted) => writer.WriteAsync([InboxSql.Release(e.Number, e.Claim, due, uncounted)]);

    /// <summary>At the start: what a node that is surely gone had begun. On SQLite there is no other node.</summary>
    public async Task RecoverAsync()
    {
        if (!context.Settings.UsesPostgres) await writer.WriteAsync([InboxSql.ReleaseNode(null)]);
        else if (context.Node.Predecessor is { } dead) await writer.WriteAsync([InboxSql.ReleaseNode(dead)]);
    }

    public void Dispose() => _bell.Dispose();

    // PostgreSQL takes no U+0000 in text.
    private static InboundMessage Clean(InboundMessage m) => m with
    {
        EventId = Cut(m.EventId, 255)!,
        Contact = Cut(m.Contact, ChannelContact.MaxExternalId)!,
        ContactName = Name(m.ContactName),
        SenderId = Cut(m.SenderId, ChannelContact.MaxExternalId),
        SenderName = Name(m.SenderName),
        Text = Cut(m.Text, Threads.Turns.MessageDraft.ContentLimit)!,
    };

    private static string? Name(string? name) => string.IsNullOrWhiteSpace(name) ? null : Cut(name.Trim(), ChannelContact.MaxName);

    private static string? Cut(string? text, int most)
    {
        if (text is null) return null;
        var clean = text.Replace('\0', '\uFFFD');
        if (clean.Length <= most) return clean;
        return clean[..(char.IsHighSurrogate(clean[most - 1]) ? most - 1 : most)];
    }
}

/// <summary>What the inbox needs besides the database.</summary>
internal sealed record InboxContext(ServerSettings Settings, NodeName Node, TimeProvider Time);

/// <summary>Another node has the message, or its channel is gone.</summary>
internal sealed class EventLostException : Exception;
