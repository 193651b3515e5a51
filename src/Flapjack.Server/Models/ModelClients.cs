using Flapjack.Providers;
using Flapjack.Providers.Embeddings;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Models;

/// <summary>Opens models: the provider's client, retries around it, fallbacks around those. Addresses that organisations set are dialled through the network rules.</summary>
internal sealed class ModelClients(TimeProvider time, ServerSettings settings, EgressGuard guard) : IDisposable
{
    private readonly AnthropicBetas _betas = Options(settings).Betas;
    private readonly ChatClients _trusted = new(time, Options(settings));
    private readonly ChatClients _guarded = new(time, Options(settings) with { Connect = guard.ConnectAsync });

    /// <summary>The client of a turn. Clients are shared and own nothing: do not dispose them.</summary>
    /// <param name="choice">The model.</param>
    /// <param name="fallbacks">Models that answer when it cannot.</param>
    /// <param name="keys">Asked for a key before each request, repeats and fallbacks included; null = there are only the platform's.</param>
    public IChatClient Create(ModelChoice choice, IReadOnlyList<ModelChoice> fallbacks, IModelKeys? keys = null)
    {
        var first = WithRetries(choice);
        return fallbacks.Count == 0 ? first : new FallbackChatClient(choice.Id, first, [.. fallbacks.Select(f => new ModelCandidate(f.Id, () => WithRetries(f)))]);

        RetryingChatClient WithRetries(ModelChoice model) => new(keys is null ? Open(model) : new KeyedChatClient(model, keys, this), time);
    }

    /// <summary>One attempt and no more.</summary>
    public IChatClient Open(ModelChoice choice)
    {
        if (choice.Endpoint is not { } endpoint) return new MissingCredential(choice.Provider);
        return (choice.IsTrustedAddress ? _trusted : _guarded).For(endpoint);
    }

    /// <summary>True when the provider compacts long conversations of this model. An operator who leaves the beta out of <c>Providers:anthropic:Betas</c> has it done here.</summary>
    public bool CompactsByItself(ModelChoice choice) => choice is { Supports.NativeCompaction: true, Kind: ProviderKinds.Anthropic or ProviderKinds.AnthropicCompatible } && _betas.Compaction.Length > 0;

    /// <summary>Turns texts into vectors; one attempt and no more.</summary>
    public Task<EmbeddingAnswer> EmbedAsync(ModelEndpoint endpoint, bool isTrustedAddress, IReadOnlyList<string> texts, CancellationToken cancellationToken) =>
        (isTrustedAddress ? _trusted : _guarded).EmbedAsync(endpoint, texts, cancellationToken);

    public void Dispose()
    {
        _trusted.Dispose();
        _guarded.Dispose();
    }

    private static ProviderOptions Options(ServerSettings settings) => new()
    {
        IdleTimeout = settings.Models.IdleTimeout,
        Betas = settings.Models.Providers.GetValueOrDefault(ProviderKinds.Anthropic)?.Betas is { Count: > 0 } betas ? Betas(betas) : new(),
    };

    // A list replaces the defaults; what it leaves out is not sent.
    private static AnthropicBetas Betas(IReadOnlyList<string> betas) => new()
    {
        InterleavedThinking = betas.FirstOrDefault(b => b.StartsWith("interleaved-thinking", StringComparison.Ordinal)) ?? "",
        Compaction = betas.FirstOrDefault(b => b.StartsWith("compact-", StringComparison.Ordinal)) ?? "",
        LongContext = betas.FirstOrDefault(b => b.StartsWith("context-", StringComparison.Ordinal) && !b.StartsWith("context-management", StringComparison.Ordinal)) ?? "",
    };

    /// <summary>Stands in for a model without a credential: known, but every call fails.</summary>
    private sealed class MissingCredential(string provider) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw Fault();

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw Fault();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }

        private ModelException Fault() => new(ModelErrors.AuthFailed, $"No credential is configured for the provider '{provider}'.");
    }
}
