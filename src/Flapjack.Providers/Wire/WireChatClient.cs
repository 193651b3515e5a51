using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Wire;

/// <summary>What the protocols have in common: write the request, send it, stream the answer. The blocking answer is a fold over the stream.</summary>
internal abstract class WireChatClient(ModelEndpoint endpoint, Uri address, ModelTransport transport) : IChatClient
{
    private static readonly MediaTypeWithQualityHeaderValue EventStream = new("text/event-stream");

    protected ModelEndpoint Endpoint => endpoint;

    protected abstract void WriteRequest(Utf8JsonWriter json, IReadOnlyList<ChatMessage> messages, ChatOptions? options);

    protected abstract void AddHeaders(HttpRequestHeaders headers, IReadOnlyList<ChatMessage> messages, ChatOptions? options);

    protected abstract AnswerReader NewReader();

    /// <summary>Whether the protocol has a field for this format. If not, the prompt asks for it.</summary>
    protected virtual bool TakesFormat(ChatResponseFormatJson format, ChatOptions options) => true;

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (string.IsNullOrEmpty(endpoint.ApiKey) && endpoint.Kind is ProviderKinds.OpenAI or ProviderKinds.Anthropic)
        {
            throw new ModelException(ModelErrors.AuthFailed, $"No credential is configured for the provider '{endpoint.Provider}'.");
        }
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        await using var call = await AskAsync(prompt, options, cancellationToken);
        while (await call.NextAsync() is { } update)
        {
            yield return update;
        }
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    // Clients are shared and own nothing; connections belong to ChatClients.
    public void Dispose() { }

    private async Task<ModelCall> AskAsync(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        if (options?.ResponseFormat is not ChatResponseFormatJson format)
        {
            return await SendAsync(prompt, options, cancellationToken);
        }
        if ((format.Schema is null || endpoint.SupportsJsonSchema) && TakesFormat(format, options))
        {
            try
            {
                return await SendAsync(prompt, options, cancellationToken);
            }
            catch (ModelException fault) when (fault.FormatRefused)
            {
                // Asked in words below: servers differ too much in the schemas they take to know beforehand.
            }
        }
        return await SendAsync(prompt, FormatInWords.Of(options, format), cancellationToken);
    }

    private async Task<ModelCall> SendAsync(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Content = PooledJsonContent.Create(json => WriteRequest(json, prompt, options));
        request.Headers.Accept.Add(EventStream);
        AddHeaders(request.Headers, prompt, options);
        foreach (var (name, value) in endpoint.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
        return await transport.StartAsync(request, endpoint, NewReader(), cancellationToken);
    }

    protected static Uri Join(Uri root, string path) => new(root.AbsoluteUri.TrimEnd('/') + "/" + path);
}
