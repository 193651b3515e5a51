using System.Net;
using System.Runtime.CompilerServices;
using Flapjack.Providers.Anthropic;
using Flapjack.Providers.Embeddings;
using Flapjack.Providers.Offline;
using Flapjack.Providers.OpenAI;
using Flapjack.Providers.Wire;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers;

/// <summary>Limits and vendor settings of all model calls.</summary>
public sealed record ProviderOptions
{
    /// <summary>Silence after which a provider counts as unavailable.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(120);
    /// <summary>Largest single event of a stream, in bytes.</summary>
    public int MaxEventBytes { get; init; } = 16 << 20;
    /// <summary>Largest answer as it comes over the wire, in bytes. Events repeat about 250 bytes around every token, so this is far above the text.</summary>
    public long MaxAnswerBytes { get; init; } = 64 << 20;
    /// <summary>Beta features of Anthropic's API by purpose.</summary>
    public AnthropicBetas Betas { get; init; } = new();
    /// <summary>Opens connections; the host checks here which address is really dialled. Null = the framework's way.</summary>
    public Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? Connect { get; init; }
}

/// <summary>Values of the <c>anthropic-beta</c> header by purpose; an empty one is not sent.</summary>
public sealed record AnthropicBetas
{
    /// <summary>Thinking between tool calls; sent with thinking.</summary>
    public string InterleavedThinking { get; init; } = "interleaved-thinking-2025-05-14";
    /// <summary>The long context; sent for models marked so.</summary>
    public string LongContext { get; init; } = "context-1m-2025-08-07";
    /// <summary>Compaction; sent with it. Without it no compaction is asked for.</summary>
    public string Compaction { get; init; } = "compact-2026-01-12";
}

/// <summary>Opens models. One per process: it owns the connections.</summary>
public sealed class ChatClients : IDisposable
{
    private readonly HttpClient http;
    private readonly ModelTransport transport;
    private readonly OfflineChatClient offline;
    private readonly EmbeddingCall embeddings;
    private readonly ProviderOptions options;

    // Lives as long as the endpoint it belongs to: a changed credential makes a new endpoint, and the old client goes with the old one.
    private readonly ConditionalWeakTable<ModelEndpoint, IChatClient> clients = [];

    /// <summary>Prepares connections; none is opened before the first call.</summary>
    public ChatClients(TimeProvider time, ProviderOptions? options = null)
    {
        this.options = options ?? new();
#pragma warning disable RS0030 // The one owner of connections to models; where they go is checked by the Connect callback.
        http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            // Our trace ids are nobody else's business.
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            EnableMultipleHttp2Connections = true,
            ConnectCallback = this.options.Connect,
        })
#pragma warning restore RS0030
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        transport = new(http, time, this.options);
        offline = new(time);
        embeddings = new(http, time, this.options);
    }

    /// <summary>The client of a model. It is shared: do not dispose it. Faults are <see cref="Runtime.Models.ModelException"/>s; retry and fallback are the caller's to add.</summary>
    /// <exception cref="ArgumentException">The kind is none of <see cref="ProviderKinds"/>, or a compatible one without a base address.</exception>
    public IChatClient For(ModelEndpoint endpoint) => clients.GetValue(endpoint, Open);

    /// <summary>Turns texts into vectors, in one request. Faults are <see cref="Runtime.Models.ModelException"/>s.</summary>
    /// <exception cref="ArgumentException">The kind has no embeddings.</exception>
    public Task<EmbeddingAnswer> EmbedAsync(ModelEndpoint endpoint, IReadOnlyList<string> texts, CancellationToken cancellationToken) => endpoint.Kind switch
    {
        ProviderKinds.OpenAI or ProviderKinds.OpenAICompatible => embeddings.RunAsync(endpoint, texts, cancellationToken),
        ProviderKinds.Flapjack => Task.FromResult(WordEmbedding.Of(texts)),
        _ => throw new ArgumentException($"Providers of the kind '{endpoint.Kind}' have no embeddings.", nameof(endpoint)),
    };

    /// <inheritdoc />
    public void Dispose() => http.Dispose();

    private IChatClient Open(ModelEndpoint endpoint) => endpoint.Kind switch
    {
        ProviderKinds.OpenAI => new ResponsesChatClient(endpoint, transport),
        ProviderKinds.OpenAICompatible => new ChatCompletionsChatClient(endpoint, transport),
        ProviderKinds.Anthropic or ProviderKinds.AnthropicCompatible => new MessagesChatClient(endpoint, transport, options.Betas),
        ProviderKinds.Flapjack => offline,
        _ => throw new ArgumentException($"Unknown provider kind '{endpoint.Kind}'.", nameof(endpoint)),
    };
}
