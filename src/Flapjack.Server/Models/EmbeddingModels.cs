using System.Collections.Concurrent;
using Flapjack.Providers;
using Flapjack.Providers.Embeddings;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Models;

/// <summary>Turns texts into vectors with the server's embedding model (<c>Knowledge:EmbeddingModel</c>), called with the organisation's credential or else the operator's.</summary>
internal sealed class EmbeddingModels(ProviderRoster roster, ModelClients clients, ServerSettings settings, TimeProvider time)
{
    private const int Attempts = 3, MaxTexts = 96, MaxCharacters = 200_000;

    /// <summary>Models take about eight thousand tokens; what is longer is cut.</summary>
    private const int MaxText = 24_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);

    // Clients belong to endpoints, so an endpoint is kept as long as its settings hold.
    private readonly ConcurrentDictionary<ProviderAccess, ModelEndpoint> _endpoints = new();

    public bool IsConfigured => settings.Knowledge.Embedding is not null;

    /// <summary>The model's full name; null when none is configured. Vectors of different models cannot be compared, so keep it beside them.</summary>
    public string? Model { get; } = settings.Knowledge.Embedding?.ToString();

    /// <summary>One vector of unit length per text, in order. A failure that may pass is tried again; then, or at any other, a <see cref="ModelException"/>.</summary>
    public async Task<IReadOnlyList<float[]>> EmbedAsync(Guid orgId, IReadOnlyList<string> texts, CancellationToken cancellationToken) =>
        (await EmbedCountedAsync(orgId, texts, cancellationToken)).Vectors;

    /// <summary>The same, with the tokens it took.</summary>
    public async Task<EmbeddingAnswer> EmbedCountedAsync(Guid orgId, IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        var (endpoint, isTrusted) = await EndpointAsync(orgId, cancellationToken);
        var vectors = new List<float[]>(texts.Count);
        var tokens = 0L;
        foreach (var batch in Batches(texts))
        {
            var answer = await AskAsync(endpoint, isTrusted, batch, cancellationToken);
            vectors.AddRange(answer.Vectors);
            tokens += answer.Tokens;
        }
        return new(vectors, tokens);
    }

    private async ValueTask<(ModelEndpoint Endpoint, bool IsTrusted)> EndpointAsync(Guid orgId, CancellationToken cancellationToken)
    {
        var name = settings.Knowledge.Embedding ?? throw new InvalidOperationException("No embedding model is configured.");
        if (name.IsOffline) return (Offline, true);
        var providers = (await roster.OfAsync(orgId, cancellationToken)).Providers;
        if (!providers.TryGetValue(name.Provider, out var provider) || provider is not { CanCall: true, Kind: ProviderKinds.OpenAI or ProviderKinds.OpenAICompatible })
            throw new ModelException(ModelErrors.AuthFailed, $"No provider '{name.Provider}' with embeddings is configured.");
        if (_endpoints.Count > 1_000) _endpoints.Clear();
        return (_endpoints.GetOrAdd(provider, access => new()
        {
            Provider = access.Name,
            Kind = access.Kind,
            ModelId = name.Model,
            ApiKey = access.ApiKey,
            BaseUrl = access.BaseUrl,
            Headers = access.Headers,
        }), provider.IsTrustedAddress);
    }

    private async Task<EmbeddingAnswer> AskAsync(ModelEndpoint endpoint, bool isTrusted, List<string> texts, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            TimeSpan wait;
            try
            {
                return await clients.EmbedAsync(endpoint, isTrusted, texts, either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && attempt < Attempts)
            {
                wait = FirstWait;
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw new ModelException(ModelErrors.Unavailable, "The provider did not answer in time.", inner: exception);
            }
            catch (ModelException fault) when (attempt < Attempts && fault.IsTransient && !(fault.RetryAfter > LongestWait))
            {
                wait = fault.RetryAfter ?? FirstWait * attempt;
            }
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    private static IEnumerable<List<string>> Batches(IReadOnlyList<string> texts)
    {
        var (batch, length) = (new List<string>(), 0);
        foreach (var text in texts)
        {
            var cut = Cut(text);
            if (batch.Count == MaxTexts || batch.Count > 0 && length + cut.Length > MaxCharacters)
            {
                yield return batch;
                (batch, length) = ([], 0);
            }
            batch.Add(cut);
            length += cut.Length;
        }
        if (batch.Count > 0) yield return batch;
    }

    // Providers refuse empty texts.
    private static string Cut(string text) => string.IsNullOrWhiteSpace(text) ? "-" : text.Length <= MaxText ? text : text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)];

    private static readonly ModelEndpoint Offline = new() { Provider = EmbeddingName.Offline, Kind = ProviderKinds.Flapjack, ModelId = EmbeddingName.OfflineModel };
}
