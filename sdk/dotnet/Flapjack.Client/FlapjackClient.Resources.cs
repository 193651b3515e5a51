namespace Flapjack.Client;

public sealed partial class FlapjackClient
{
    /// <summary>A file.</summary>
    public Task<FlapjackFile> GetFileAsync(Guid fileId, CancellationToken cancellationToken = default) => GetAsync<FlapjackFile>($"api/files/{fileId}", cancellationToken);

    /// <summary>Removes a file that no message uses.</summary>
    public Task DeleteFileAsync(Guid fileId, CancellationToken cancellationToken = default) => DeleteAsync($"api/files/{fileId}", null, cancellationToken);

    /// <summary>API keys; for users who are admins.</summary>
    public Task<IReadOnlyList<ApiKey>> ListKeysAsync(int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<ApiKey>>(With("api/keys", ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Makes an API key; its text is in this answer only.</summary>
    public Task<NewApiKey> CreateKeyAsync(KeyRequest key, CancellationToken cancellationToken = default) => PostAsync<NewApiKey>("api/keys", key, cancellationToken);

    /// <summary>Revokes an API key.</summary>
    public Task RevokeKeyAsync(Guid keyId, CancellationToken cancellationToken = default) => DeleteAsync($"api/keys/{keyId}", null, cancellationToken);

    /// <summary>Models that the organisation has; only those with a credential when <paramref name="available"/>.</summary>
    public Task<IReadOnlyList<Model>> ListModelsAsync(bool? available = null, int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<Model>>(With("api/models", ("available", available), ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Providers of models.</summary>
    public Task<IReadOnlyList<ModelProvider>> ListProvidersAsync(int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<ModelProvider>>(With("api/providers", ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Sets up a provider.</summary>
    public Task<ModelProvider> PutProviderAsync(string provider, ProviderRequest settings, CancellationToken cancellationToken = default) => PutAsync<ModelProvider>($"api/providers/{Uri.EscapeDataString(provider)}", settings, cancellationToken);

    /// <summary>Removes a provider.</summary>
    public Task DeleteProviderAsync(string provider, CancellationToken cancellationToken = default) => DeleteAsync($"api/providers/{Uri.EscapeDataString(provider)}", null, cancellationToken);

    /// <summary>Asks a provider for a word.</summary>
    public Task<ProviderTest> TestProviderAsync(string provider, ProviderTestRequest? test = null, CancellationToken cancellationToken = default) => PostAsync<ProviderTest>($"api/providers/{Uri.EscapeDataString(provider)}/test", test ?? new(), cancellationToken);

    /// <summary>Traces, newest first.</summary>
    public Task<TracePage> ListTracesAsync(TraceFilter? filter = null, CancellationToken cancellationToken = default) => GetAsync<TracePage>(With("api/logs", (filter ?? new()).Query()), cancellationToken);

    /// <summary>A trace with its spans and evaluations.</summary>
    public Task<TraceDetail> GetTraceAsync(Guid traceId, CancellationToken cancellationToken = default) => GetAsync<TraceDetail>($"api/logs/{traceId}", cancellationToken);

    /// <summary>Adds an evaluation to a trace.</summary>
    public Task<Evaluation> CreateEvaluationAsync(Guid traceId, EvaluationRequest evaluation, CancellationToken cancellationToken = default) => PostAsync<Evaluation>($"api/logs/{traceId}/evaluations", evaluation, cancellationToken);

    /// <summary>Removes an evaluation.</summary>
    public Task DeleteEvaluationAsync(Guid traceId, Guid evaluationId, CancellationToken cancellationToken = default) => DeleteAsync($"api/logs/{traceId}/evaluations/{evaluationId}", null, cancellationToken);

    /// <summary>What server this is.</summary>
    public Task<ServerVersion> VersionAsync(CancellationToken cancellationToken = default) => GetAsync<ServerVersion>("api/version", cancellationToken);
}
