using Flapjack.Server.Channels.Outbound;

namespace Flapjack.Server.Channels;

/// <summary>Tells providers where messages go, and that they go nowhere any more.</summary>
internal sealed partial class ChannelRegistration(ChannelProviders providers, ChannelVault vault, ILogger<ChannelRegistration> logger)
{
    /// <summary>The address of a channel.</summary>
    public string AddressOf(Channel row, string server) => $"{server}/api/hooks/channels/{vault.TokenOf(row)}";

    /// <summary>Registers an enabled channel, and notes how that went; the row is to be saved.</summary>
    /// <param name="row">The channel.</param>
    /// <param name="server">The server's public address.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task RegisterAsync(Channel row, string server, CancellationToken cancellationToken)
    {
        try
        {
            var (provider, channel) = (providers.Of(row), vault.Open(row));
            row.Config = (await provider.RegisterAsync(channel, AddressOf(row, server), cancellationToken)).ToText();
            (row.Status, row.LastError) = (provider.AwaitsHandshake && row.LastInboundAt is null ? ChannelStatuses.Pending : ChannelStatuses.Active, null);
        }
        catch (ChannelException fault)
        {
            LogRefused(logger, row.Id, fault.Code);
            row.Fail(fault.ToText());
        }
    }

    /// <summary>Makes the provider send nothing more. False when it could not be told.</summary>
    public async Task<bool> UnregisterAsync(Channel row, CancellationToken cancellationToken)
    {
        try
        {
            var channel = vault.Open(row);
            await providers.Of(row).UnregisterAsync(channel, cancellationToken);
            return true;
        }
        catch (ChannelException fault)
        {
            LogStays(logger, row.Id, fault.Code);
            // A token the provider does not take any more registers nothing either.
            return !fault.MayPass;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The provider did not register channel {Channel}: {Code}")]
    private static partial void LogRefused(ILogger logger, Guid channel, string code);

    [LoggerMessage(2, LogLevel.Warning, "The webhook of channel {Channel} may still stand at its provider: {Code}")]
    private static partial void LogStays(ILogger logger, Guid channel, string code);
}
