using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>Lets messages of providers in, once they have proved to be theirs.</summary>
internal sealed class ChannelDoor(ChannelProviders providers, ChannelVault vault, ChannelInbox inbox, Databases databases)
{
    /// <summary>The channel with this token; null when there is none.</summary>
    public async Task<OpenedChannel?> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length is 0 or > 100) return null;
        var hash = Channel.HashOf(token);
        await using var db = databases.OpenForServer();
        // Of every organisation: only the token says whose it is.
        var row = await db.Channels.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(c => c.TokenHash == hash && c.RemovedAt == null, cancellationToken);
        return row is null ? null : Open(row);
    }

    /// <summary>Stores the messages of a request. Gives the answer the provider waits for; null when any will do.</summary>
    public async Task<HookAnswer?> TakeAsync(OpenedChannel channel, HookRequest request)
    {
        var provider = Prove(channel, request);
        if (provider.Handshake(channel, request) is { } answer)
        {
            await inbox.NoteHandshakeAsync(channel.Row);
            return answer;
        }
        // A disabled channel answers too: providers give up addresses that refuse.
        if (channel.Row.Enabled) await inbox.StoreAsync(channel.Row, provider.Read(channel, request));
        return null;
    }

    /// <summary>Answers a GET; 404 when the provider has none.</summary>
    public async Task<HookAnswer?> GreetAsync(OpenedChannel channel, HookRequest request)
    {
        if (channel.Row.Kind != ChannelKinds.WhatsApp) throw ApiException.NotFound();
        var answer = Prove(channel, request).Handshake(channel, request);
        await inbox.NoteHandshakeAsync(channel.Row);
        return answer;
    }

    private OpenedChannel Open(Channel row)
    {
        try
        {
            return vault.Open(row);
        }
        catch (ChannelException fault)
        {
            // The operator may bring the right key back; until then the provider is to keep its messages.
            throw ApiException.Unavailable(fault.Message);
        }
    }

    private IChannelProvider Prove(OpenedChannel channel, HookRequest request)
    {
        var provider = providers.Of(channel.Row);
        return provider.IsGenuine(channel, request) ? provider : throw ApiException.Unauthorized("the request does not carry the provider's signature");
    }
}
