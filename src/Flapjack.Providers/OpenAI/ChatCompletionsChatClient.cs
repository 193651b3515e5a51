using System.Net.Http.Headers;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>Any server that speaks Chat Completions.</summary>
internal sealed class ChatCompletionsChatClient(ModelEndpoint endpoint, ModelTransport transport)
    : WireChatClient(endpoint, Join(endpoint.BaseUrl ?? throw new ArgumentException("A compatible provider needs a base address.", nameof(endpoint)), "chat/completions"), transport)
{
    protected override void WriteRequest(Utf8JsonWriter json, IReadOnlyList<ChatMessage> messages, ChatOptions? options) =>
        new ChatCompletionsRequest(json, Endpoint).Write(messages, options);

    protected override void AddHeaders(HttpRequestHeaders headers, IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        if (!string.IsNullOrEmpty(Endpoint.ApiKey))
        {
            headers.Authorization = new("Bearer", Endpoint.ApiKey);
        }
    }

    protected override AnswerReader NewReader() => new ChatCompletionsReader(Endpoint);
}
