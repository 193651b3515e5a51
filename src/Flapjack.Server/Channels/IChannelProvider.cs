using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;

namespace Flapjack.Server.Channels;

/// <summary>One kind of channel: how its messages come in and go out. Each kind is one.</summary>
internal interface IChannelProvider
{
    string Kind { get; }

    /// <summary>The longest message, and what a channel has that says nothing.</summary>
    MessageLength Length { get; }

    /// <summary>Names of the credentials it needs.</summary>
    IReadOnlyList<string> CredentialNames { get; }

    /// <summary>True when a channel is to wait until its provider has called.</summary>
    bool AwaitsHandshake { get; }

    /// <summary>True when the request was made by the provider. Compares in constant time.</summary>
    bool IsGenuine(OpenedChannel channel, HookRequest request);

    /// <summary>The answer to a request that only asks whether the address is right; null for others. The request is genuine.</summary>
    HookAnswer? Handshake(OpenedChannel channel, HookRequest request);

    /// <summary>The messages that are to be answered; what else a provider tells is passed over.</summary>
    /// <exception cref="Platform.Http.ApiException">The body is not what the provider sends.</exception>
    IReadOnlyList<InboundMessage> Read(OpenedChannel channel, HookRequest request);

    /// <summary>Makes the provider send to <paramref name="hook"/>. Gives the config with what was learnt.</summary>
    /// <exception cref="ChannelException">The provider would not, or could not be asked.</exception>
    Task<ChannelConfig> RegisterAsync(OpenedChannel channel, string hook, CancellationToken cancellationToken);

    /// <summary>Makes the provider send nothing more.</summary>
    /// <exception cref="ChannelException">The provider would not, or could not be asked.</exception>
    Task UnregisterAsync(OpenedChannel channel, CancellationToken cancellationToken);

    /// <summary>Asks the provider whom the credentials belong to.</summary>
    /// <exception cref="ChannelException">The provider would not say, or could not be asked.</exception>
    Task<string> TestAsync(OpenedChannel channel, CancellationToken cancellationToken);

    /// <summary>A piece of Markdown as the provider writes it.</summary>
    string Convert(string markdown);

    /// <summary>Sends one message.</summary>
    /// <exception cref="ChannelException">It was not taken.</exception>
    Task SendAsync(OpenedChannel channel, OutboundMessage message, CancellationToken cancellationToken);

    /// <summary>The content of an image or file of a message.</summary>
    /// <exception cref="ChannelException">It cannot be had.</exception>
    Task<byte[]> FetchAsync(OpenedChannel channel, InboundMedia media, CancellationToken cancellationToken);
}

/// <summary>How long a message may be, in characters as they are sent.</summary>
/// <param name="Most">The provider's limit.</param>
/// <param name="Default">Of a channel that says nothing.</param>
internal readonly record struct MessageLength(int Most, int Default)
{
    public const int Least = 200;

    public int Of(ChannelConfig config) => Math.Min(config.MaxMessageChars ?? Default, Most);
}

/// <summary>The kinds there are.</summary>
internal sealed class ChannelProviders(IEnumerable<IChannelProvider> providers)
{
    private readonly Dictionary<string, IChannelProvider> _byKind = providers.ToDictionary(p => p.Kind);

    public IEnumerable<string> Kinds => _byKind.Keys;

    public IChannelProvider? Find(string? kind) => kind is null ? null : _byKind.GetValueOrDefault(kind);

    public IChannelProvider Of(Channel channel) => _byKind[channel.Kind];
}
