using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>The queue of messages. What is done with one begins with a guard: whoever lost it writes nothing.</summary>
internal static class InboxSql
{
    private const string StoreText = """
        INSERT INTO channel_events (org_id, channel_id, event_id, contact, urgent, payload, sent, answered, claim, attempts, due_at, received_at)
        SELECT $1, $2, $3, $4, $5, $6, 0, $9, 0, 0, $7, $7 WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM channel_events WHERE channel_id = $2 AND finished_at IS NULL LIMIT $8) AS waiting) < $8
        ON CONFLICT (channel_id, event_id) DO NOTHING
        """;

    // Waits for a turn that begins in the same transaction, if it begins.
    private const string AwaitText = """
        INSERT INTO channel_events (org_id, channel_id, event_id, contact, urgent, payload, thread_id, turn_id, sent, answered, claim, attempts, due_at, received_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, $5, 0, 0, $9, $9 WHERE EXISTS (SELECT 1 FROM threads WHERE id = $7 AND active_turn_id = $8)
        ON CONFLICT (channel_id, event_id) DO NOTHING
        """;

    private const string PostText = """
        INSERT INTO channel_events (org_id, channel_id, event_id, contact, urgent, payload, outbox, sent, answered, claim, attempts, due_at, received_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, 0, 0, $9, $9) ON CONFLICT (channel_id, event_id) DO NOTHING
        """;

    private const string NoteInboundText = "UPDATE channels SET last_inbound_at = $2, status = CASE WHEN status = 'pending' THEN 'active' ELSE status END WHERE id = $1";

    private const string NoteHandshakeText = "UPDATE channels SET status = 'active' WHERE id = $1 AND status = 'pending'";

    private const string KnownText = "SELECT event_id FROM channel_events WHERE channel_id = $1 AND event_id = $2";

    private const string WaitingText = """
        SELECT e.number, e.org_id, e.claim FROM channel_events e WHERE e.finished_at IS NULL AND e.due_at <= $1 AND (e.node IS NULL OR e.lease_until < flapjack_now(0)) AND e.urgent = $2
            AND (e.urgent OR NOT EXISTS (SELECT 1 FROM channel_events b WHERE b.channel_id = e.channel_id AND b.contact = e.contact AND b.finished_at IS NULL AND b.number < e.number AND NOT b.urgent))
        ORDER BY e.due_at, e.number LIMIT 16
        """;

    private const string ClaimText = """
        UPDATE channel_events SET node = $3, lease_until = flapjack_now($4), claim = claim + 1, attempts = attempts + 1
        WHERE number = $1 AND claim = $2 AND finished_at IS NULL AND (node IS NULL OR lease_until < flapjack_now(0))
        """;

    private const string RenewText = "UPDATE channel_events SET lease_until = flapjack_now($3) WHERE number = $1 AND claim = $2 AND node IS NOT NULL AND finished_at IS NULL";

    private const string ReleaseText = "UPDATE channel_events SET node = NULL, due_at = $3, attempts = attempts - $4 WHERE number = $1 AND claim = $2 AND finished_at IS NULL";

    private const string ReleaseNodeText = "UPDATE channel_events SET node = NULL WHERE finished_at IS NULL AND node = $1";

    private const string ReleaseAllText = "UPDATE channel_events SET node = NULL WHERE finished_at IS NULL AND node IS NOT NULL";

    private const string OwnedText = "SELECT 1 FROM channel_events WHERE number = $1 AND claim = $2 AND finished_at IS NULL";

    private const string NoteTurnText = "UPDATE channel_events SET thread_id = $2, turn_id = $3, outbox = $4, attempts = 0 WHERE number = $1";

    private const string NoteAnswerText = "UPDATE channel_events SET outbox = $2, answered = $3, attempts = 0 WHERE number = $1";

    private const string NoteSentText = "UPDATE channel_events SET sent = $2, attempts = 0 WHERE number = $1";

    private const string FinishText = "UPDATE channel_events SET finished_at = $2, payload = '', outbox = NULL, node = NULL WHERE number = $1";

    private const string AddContactText = """
        INSERT INTO channel_contacts (id, org_id, channel_id, external_id, display_name, blocked, message_count, first_seen_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $7, 0, $6, $6)
        ON CONFLICT (channel_id, external_id) DO NOTHING
        """;

    private const string CountContactText = "UPDATE channel_contacts SET message_count = message_count + 1, last_seen_at = $2, thread_id = $3, display_name = COALESCE(display_name, $4) WHERE id = $1";

    private const string ResetContactText = "UPDATE channel_contacts SET thread_id = NULL, last_seen_at = $2 WHERE id = $1";

    private const string NoteFailureText = "UPDATE channels SET status = CASE WHEN enabled AND $3 THEN 'error' ELSE status END, last_error = $2 WHERE id = $1 AND removed_at IS NULL";

    private const string NoteSuccessText = "UPDATE channels SET status = CASE WHEN enabled THEN 'active' ELSE status END, last_error = NULL WHERE id = $1 AND (last_error IS NOT NULL OR status = 'pending')";

    private const string SweepText = "DELETE FROM channel_events WHERE number IN (SELECT number FROM channel_events WHERE finished_at IS NOT NULL AND received_at < $1 ORDER BY received_at LIMIT 1000)";

    /// <summary>Stores a message unless it came before, or <paramref name="most"/> of its channel wait already.</summary>
    public static SqlStatement Store(Channel channel, InboundMessage message, DateTime now, int most) =>
        new(StoreText, [channel.OrgId, channel.Id, message.EventId, message.Contact, message.Command == InboundMessage.Stop, message.ToText(), now, most, false]);

    /// <summary>Lets the answer of a turn that nobody asked for be delivered.</summary>
    public static SqlStatement Await(ChannelContact contact, InboundMessage message, Guid thread, Guid turn, DateTime now) =>
        new(AwaitText, [contact.OrgId, contact.ChannelId, message.EventId, message.Contact, false, message.ToText(), thread, turn, now]);

    /// <summary>Lets something be delivered; the same once only.</summary>
    public static SqlStatement Post(ChannelContact contact, InboundMessage message, string outbox, DateTime now) =>
        new(PostText, [contact.OrgId, contact.ChannelId, message.EventId, message.Contact, false, message.ToText(), outbox, true, now]);

    public static SqlStatement NoteInbound(Guid channel, DateTime now) => new(NoteInboundText, [channel, now]);

    public static SqlStatement NoteHandshake(Guid channel) => new(NoteHandshakeText, [channel]);

    /// <summary>Finds a message that came before.</summary>
    public static SqlStatement Known(Guid channel, string eventId) => new(KnownText, [channel, eventId]);

    /// <summary>Messages that may be taken now.</summary>
    public static SqlStatement Waiting(DateTime now, bool urgent) => new(WaitingText, [now, urgent]);

    public static SqlStatement Claim(long number, long claim, string node, TimeSpan lease) => new(ClaimText, [number, claim, node, lease.TotalSeconds]);

    public static SqlStatement Renew(long number, long claim, TimeSpan lease) => new(RenewText, [number, claim, lease.TotalSeconds]);

    /// <summary>Gives a message back until a time; it counts as not taken when nothing was wrong with it.</summary>
    public static SqlStatement Release(long number, long claim, DateTime due, bool uncounted) => new(ReleaseText, [number, claim, due, uncounted ? 1 : 0]);

    public static SqlStatement ReleaseNode(string? node) => node is null ? new(ReleaseAllText, []) : new(ReleaseNodeText, [node]);

    public static SqlStatement Owned(ChannelEvent e) => new(OwnedText, [e.Number, e.Claim]) { Guards = true };

    public static SqlStatement NoteTurn(long number, Guid thread, Guid turn, string? outbox) => new(NoteTurnText, [number, thread, turn, outbox]);

    public static SqlStatement NoteAnswer(long number, string outbox, bool answered) => new(NoteAnswerText, [number, outbox, answered]);

    public static SqlStatement NoteSent(long number, int sent) => new(NoteSentText, [number, sent]);

    public static SqlStatement Finish(long number, DateTime now) => new(FinishText, [number, now]);

    public static SqlStatement AddContact(ChannelContact c) => new(AddContactText, [c.Id, c.OrgId, c.ChannelId, c.ExternalId, c.DisplayName, c.FirstSeenAt, false]);

    /// <summary>A message of the contact goes to the agent.</summary>
    public static SqlStatement CountContact(Guid contact, DateTime now, Guid thread, string? name) => new(CountContactText, [contact, now, thread, name]);

    public static SqlStatement ResetContact(Guid contact, DateTime now) => new(ResetContactText, [contact, now]);

    /// <summary>Something went wrong for good; <paramref name="isOfChannel"/> when not for one contact only.</summary>
    public static SqlStatement NoteFailure(Guid channel, string error, bool isOfChannel) => new(NoteFailureText, [channel, error, isOfChannel]);

    /// <summary>The provider took a message.</summary>
    public static SqlStatement NoteSuccess(Guid channel) => new(NoteSuccessText, [channel]);

    /// <summary>Forgets finished messages that nobody repeats any more.</summary>
    public static SqlStatement Sweep(DateTime before) => new(SweepText, [before]);
}
