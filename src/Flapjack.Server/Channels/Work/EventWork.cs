using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Work;

/// <summary>Does what is to be done with one message, from the contact to the delivered answer.</summary>
/// <remarks>
/// 1. Who wrote it? Strangers and blocked contacts are passed over.
/// 2. Thread and turn are noted, then the greeting is sent.
/// 3. The agent answers. A message that is taken up again finds its turn and does not begin another.
/// 4. The answer is cut up and noted, then sent piece by piece; each piece that arrived is noted.
/// Whoever takes it up after a crash goes on behind what was noted last, so a piece may arrive twice, and no turn runs twice.
/// </remarks>
internal sealed partial class EventWork(ChannelInbox inbox, ContactDesk contacts, ChannelTurns turns, EventWorkContext context)
{
    /// <summary>Further tries after something failed that may pass: about eight minutes.</summary>
    private const int MaxAttempts = 8;

    private const int MaxTaken = 2 * MaxAttempts;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    public async Task RunAsync(ChannelEvent e, CancellationToken cancellationToken)
    {
        try
        {
            await WorkAsync(e, cancellationToken);
        }
        catch (EventLostException)
        {
            LogLost(context.Logger, e.Number);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await inbox.ReleaseAsync(e, context.Time.Now(), uncounted: true);
        }
        catch (ChannelException fault)
        {
            await FailAsync(e, fault);
        }
        catch (Exception exception) when (DatabaseFaults.IsOutage(exception))
        {
            // Taken again when its lease ends.
            throw;
        }
        catch (Exception exception)
        {
            LogBroken(context.Logger, exception, e.Number);
            await FailAsync(e, new("INTERNAL_ERROR", "the server failed; its log has the reason", true));
        }
        finally
        {
            inbox.End(e);
            inbox.Wake();
        }
    }

    private async Task WorkAsync(ChannelEvent e, CancellationToken cancellationToken)
    {
        // One that was only ever taken, and never released, brings down whoever has it.
        if (e.Attempts > MaxTaken) throw new ChannelException("INTERNAL_ERROR", "the message could not be worked on", false);
        if (await OpenAsync(e, cancellationToken) is { } channel)
        {
            var message = InboundMessage.Parse(e.Payload);
            if (!e.Answered && await contacts.AdmitAsync(channel, message, cancellationToken) is { } contact) await PrepareAsync(e, channel, contact, message, cancellationToken);
            if (e.Answered) await DeliverAsync(e, channel, message, cancellationToken);
        }
        await inbox.WriteAsync(e, InboxSql.Finish(e.Number, context.Time.Now()));
    }

    // Null when the channel is gone or switched off.
    private async Task<OpenedChannel?> OpenAsync(ChannelEvent e, CancellationToken cancellationToken)
    {
        await using var db = context.Databases.Open(e.OrgId);
        var row = await db.Channels.AsNoTracking().FirstOrDefaultAsync(c => c.Id == e.ChannelId && c.RemovedAt == null && c.Enabled, cancellationToken);
        return row is null ? null : context.Vault.Open(row);
    }

    private async Task PrepareAsync(ChannelEvent e, OpenedChannel channel, ChannelContact contact, InboundMessage message, CancellationToken cancellationToken)
    {
        switch (message.Command)
        {
            case InboundMessage.Stop:
                await NoteAsync(e, channel, [new(await turns.StopAsync(contact, cancellationToken) ? "Stopped." : "Nothing is running.", null)]);
                return;
            case InboundMessage.Reset:
                await NoteAsync(e, channel, [new("A new conversation begins.", null)], contacts.Reset(contact));
                return;
        }
        if (e.TurnId is null) await contacts.AssignAsync(e, channel, contact, message, cancellationToken);
        await DeliverAsync(e, channel, message, cancellationToken);
        await NoteAsync(e, channel, await turns.AnswerAsync(e, channel, message, cancellationToken));
    }

    private async Task NoteAsync(ChannelEvent e, OpenedChannel channel, IReadOnlyList<OutboundPart> said, params SqlStatement[] more)
    {
        var provider = context.Providers.Of(channel.Row);
        var pieces = said.SelectMany(part => MessageSplitter.Split(part.Text, provider.Length.Of(channel.Config), provider.Convert).Select(piece => part with { Text = piece }));
        var outbox = Outbox.ToText([.. Outbox.Parse(e.Outbox), .. pieces]);
        await inbox.WriteAsync(e, [InboxSql.NoteAnswer(e.Number, outbox, answered: true), .. more]);
        (e.Outbox, e.Answered, e.Attempts) = (outbox, true, 0);
    }

    private async Task DeliverAsync(ChannelEvent e, OpenedChannel channel, InboundMessage message, CancellationToken cancellationToken)
    {
        var (provider, parts) = (context.Providers.Of(channel.Row), Outbox.Parse(e.Outbox));
        for (; e.Sent < parts.Count; e.Sent++)
        {
            await provider.SendAsync(channel, new(message.To, message.Contact, parts[e.Sent], e.ThreadId), cancellationToken);
            await inbox.WriteAsync(e, InboxSql.NoteSent(e.Number, e.Sent + 1), InboxSql.NoteSuccess(channel.Row.Id));
            e.Attempts = 0;
        }
    }

    private async Task FailAsync(ChannelEvent e, ChannelException fault)
    {
        var attempt = Math.Max(1, e.Attempts);
        if (fault.MayPass && attempt <= MaxAttempts)
        {
            LogAgain(context.Logger, e.Number, e.ChannelId, fault.Code, attempt);
            var wait = TimeSpan.FromSeconds(1 << attempt);
            if (fault.RetryAfter > wait) wait = fault.RetryAfter < LongestWait ? fault.RetryAfter.Value : LongestWait;
            // Taking it counts, and it counted before something was achieved: the count goes on from here.
            await inbox.ReleaseAsync(e, context.Time.Now() + wait, uncounted: false);
            return;
        }
        LogGivenUp(context.Logger, e.Number, e.ChannelId, fault.Code);
        var now = context.Time.Now();
        await inbox.TryWriteAsync(e, InboxSql.NoteFailure(e.ChannelId, fault.ToText(), isOfChannel: !fault.IsOfContact), InboxSql.Finish(e.Number, now));
    }

    [LoggerMessage(1, LogLevel.Information, "Message {Number} is another node's, or its channel is gone")]
    private static partial void LogLost(ILogger logger, long number);

    [LoggerMessage(2, LogLevel.Error, "Message {Number} of a channel could not be worked on")]
    private static partial void LogBroken(ILogger logger, Exception exception, long number);

    [LoggerMessage(3, LogLevel.Warning, "Message {Number} of channel {Channel} failed with {Code}; it is tried again (attempt {Attempt})")]
    private static partial void LogAgain(ILogger logger, long number, Guid channel, string code, int attempt);

    [LoggerMessage(4, LogLevel.Error, "Message {Number} of channel {Channel} is given up: {Code}")]
    private static partial void LogGivenUp(ILogger logger, long number, Guid channel, string code);
}

/// <summary>What the work on a message needs besides its collaborators.</summary>
internal sealed record EventWorkContext(Databases Databases, ChannelVault Vault, ChannelProviders Providers, TimeProvider Time, ILogger<EventWork> Logger);
