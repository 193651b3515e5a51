using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Work;

/// <summary>Lets the agent answer a message: begins its turn once, waits for the end wherever it runs, and says what came of it.</summary>
internal sealed class ChannelTurns(DeferredTurns turns, TurnStops stops, TurnStreams streams, ThreadChanges changes, Databases databases, ChannelTurnsContext context)
{
    /// <summary>Nodes tell each other of changes only when they are asked, and signals may be lost.</summary>
    private static readonly TimeSpan SafetyPoll = TimeSpan.FromSeconds(5);

    /// <summary>What is to be sent; nothing for a turn that somebody stopped.</summary>
    public async Task<IReadOnlyList<OutboundPart>> AnswerAsync(ChannelEvent e, OpenedChannel channel, InboundMessage message, CancellationToken cancellationToken)
    {
        LiveTurn? live = null;
        try
        {
            if (await RowAsync(e, cancellationToken) is null) live = await BeginAsync(e, channel, message, cancellationToken);
            return await EndedAsync(e, live, cancellationToken) is { } turn ? await AnswerOfAsync(turn, live, cancellationToken) : [];
        }
        catch (ApiException refusal) when (refusal.Status < 500)
        {
            return [new(message.Media.Count > 0 ? "Sorry, this image or file cannot be read here." : $"Sorry, this could not be answered ({refusal.Code}).", null)];
        }
        finally
        {
            live?.RemoveReader();
        }
    }

    /// <summary>Stops what the contact's thread is at. False when it was at nothing.</summary>
    public async Task<bool> StopAsync(ChannelContact contact, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(contact.OrgId);
        var thread = contact.ThreadId is { } id ? await db.Threads.AsNoTracking().FirstOrDefaultAsync(t => t.Id == id, cancellationToken) : null;
        if (thread is null || (thread.ActiveTurnId ?? thread.PendingTurnId) is null) return false;
        await stops.StopAsync(thread, cancellationToken);
        return true;
    }

    private async Task<LiveTurn> BeginAsync(ChannelEvent e, OpenedChannel channel, InboundMessage message, CancellationToken cancellationToken)
    {
        var options = new TurnOptions { SenderId = message.SenderId ?? message.Contact, SenderName = message.SenderId is null ? message.ContactName : message.SenderName, Source = TurnDoors.Channel, ContinueOnDisconnect = true };
        var begun = new DeferredMessage(e.OrgId, e.ThreadId!.Value, e.TurnId!.Value, ContactDesk.UserOf(channel.Row, message.Contact), message.Text, await FetchAsync(channel, message, cancellationToken), options);
        using var watch = changes.Watch(begun.ThreadId);
        while (true)
        {
            if (await turns.BeginAsync(begun, cancellationToken) is { } live) return live;
            await watch.NextAsync(SafetyPoll, context.Time, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<AttachmentDraft>> FetchAsync(OpenedChannel channel, InboundMessage message, CancellationToken cancellationToken)
    {
        var drafts = new List<AttachmentDraft>();
        foreach (var media in message.Media.Take(AttachmentDraft.MaxAttachments))
        {
            var content = await FetchAsync(channel, media, cancellationToken);
            drafts.Add(new($"attachments[{drafts.Count}]", media.IsImage ? AttachmentDraft.Image : AttachmentDraft.File, media.Name, media.MediaType, null, content, null));
        }
        return drafts;
    }

    private async Task<byte[]> FetchAsync(OpenedChannel channel, InboundMedia media, CancellationToken cancellationToken)
    {
        try
        {
            return await context.Providers.Of(channel.Row).FetchAsync(channel, media, cancellationToken);
        }
        catch (ChannelException fault) when (!fault.MayPass)
        {
            throw ApiException.Invalid("attachments", fault.Code);
        }
    }

    private async Task<Turn?> RowAsync(ChannelEvent e, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(e.OrgId);
        var rows = db.Turns.AsNoTracking().Where(t => t.Id == e.TurnId);
        // Not what it has recorded, which may be large.
        return await rows.Select(t => new Turn { Id = t.Id, OrgId = t.OrgId, ThreadId = t.ThreadId, AgentId = t.AgentId, Status = t.Status, Error = t.Error, Node = t.Node, LeaseUntil = t.LeaseUntil, Request = "", StartedAt = t.StartedAt }).FirstOrDefaultAsync(cancellationToken);
    }

    // Null when the thread was deleted meanwhile.
    private async Task<Turn?> EndedAsync(ChannelEvent e, LiveTurn? live, CancellationToken cancellationToken)
    {
        using var watch = changes.Watch(e.ThreadId!.Value);
        if (live is not null) await live.Ended.WaitAsync(cancellationToken);
        while (true)
        {
            var row = await RowAsync(e, cancellationToken);
            if (row?.Status != TurnStatuses.Running) return row;
            await watch.NextAsync(SafetyPoll, context.Time, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<OutboundPart>> AnswerOfAsync(Turn turn, LiveTurn? live, CancellationToken cancellationToken)
    {
        if (turn.Status == TurnStatuses.Stopped) return [];
        var parts = new List<OutboundPart>();
        await using (var db = databases.Open(turn.OrgId))
        {
            var said = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turn.Id && m.Role == MessageRoles.Assistant).OrderBy(m => m.Seq).Select(m => new { m.Id, m.Content }).ToListAsync(cancellationToken);
            parts.AddRange(said.Where(m => turn.ToldOf(m.Content).Length > 0).Select(m => new OutboundPart(m.Content, m.Id)));
        }
        foreach (var challenge in await ChallengesAsync(turn, live, cancellationToken)) parts.Add(new(challenge, null));
        if (turn.Status is TurnStatuses.Failed or TurnStatuses.Interrupted) parts.Add(new($"Sorry, the answer failed ({turn.Error ?? "INTERNAL_ERROR"}). Please try again.", null));
        return parts;
    }

    // Where the contact has to permit something stands in the events only.
    private async Task<IReadOnlyList<string>> ChallengesAsync(Turn turn, LiveTurn? live, CancellationToken cancellationToken)
    {
        try
        {
            using var found = live is null ? await streams.FindAsync(turn.Id, turn.OrgId, StreamPick.Latest, cancellationToken) : null;
            if ((live ?? found?.Live) is not { } log) return [];
            return [.. log.Events().Where(happened => happened.Type == "auth_challenge").Select(happened => SayingOf(JsonElement.Parse(happened.Data.Span).GetProperty("challenge")))];
        }
        catch (ApiException)
        {
            // The node that has them does not answer.
            return [];
        }
    }

    private static string SayingOf(JsonElement challenge) => $"Permission is needed. {challenge.Text("description") ?? challenge.Text("provider")}: {challenge.Text("redirectUrl")}";
}

/// <summary>What the turns of channels need besides their collaborators.</summary>
internal sealed record ChannelTurnsContext(ChannelProviders Providers, TimeProvider Time);
