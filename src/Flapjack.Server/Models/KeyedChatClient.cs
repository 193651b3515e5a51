using System.Runtime.CompilerServices;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Models;

/// <summary>Asks for a key before each request and forgets it afterwards. One attempt and no more.</summary>
internal sealed class KeyedChatClient(ModelChoice choice, IModelKeys keys, ModelClients clients) : IChatClient
{
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var key = await keys.FindAsync(choice, cancellationToken);
        if (key is not null) yield return CredentialMark.Create(key.Source);
        await using var updates = Open(key).GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(updates, key)) yield return updates.Current;
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }

    private IChatClient Open(ModelKey? key)
    {
        if (key?.ApiKey is not { } apiKey || choice.OpenEndpoint is not { } endpoint) return clients.Open(choice);
        return clients.Open(choice with { Endpoint = endpoint with { ApiKey = apiKey, Headers = WithoutCredentials(endpoint.Headers) } });
    }

    // Headers that a provider was given replace those the client sends, and would bring the platform's key with them.
    private static Dictionary<string, string> WithoutCredentials(IReadOnlyDictionary<string, string> headers) =>
        headers.Where(h => !h.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase) && !h.Key.Equals("x-api-key", StringComparison.OrdinalIgnoreCase)).ToDictionary();

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<ChatResponseUpdate> updates, ModelKey? key)
    {
        try
        {
            return await updates.MoveNextAsync();
        }
        catch (ModelException fault) when (fault.Code == ModelErrors.AuthFailed && key is not null)
        {
            keys.Refused(choice);
            throw;
        }
    }
}
