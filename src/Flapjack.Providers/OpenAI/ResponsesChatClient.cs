using System.Net.Http.Headers;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>OpenAI's Responses API. Nothing is stored there: every call carries the whole conversation.</summary>
internal sealed class ResponsesChatClient(ModelEndpoint endpoint, ModelTransport transport)
    : WireChatClient(endpoint, Join(endpoint.BaseUrl ?? VendorAddress, "responses"), transport)
{
    private static readonly Uri VendorAddress = new("https://api.openai.com/v1");

    protected override void WriteRequest(Utf8JsonWriter json, IReadOnlyList<ChatMessage> messages, ChatOptions? options) =>
        new ResponsesRequest(json, Endpoint).Write(messages, options);

    // The vendor takes schemas of objects only, strict or not.
    protected override bool TakesFormat(ChatResponseFormatJson format, ChatOptions options) => format.Schema is not { } schema || schema.Text("type") == "object";

    protected override void AddHeaders(HttpRequestHeaders headers, IReadOnlyList<ChatMessage> messages, ChatOptions? options) =>
        headers.Authorization = new("Bearer", Endpoint.ApiKey);

    protected override AnswerReader NewReader() => new ResponsesReader(Endpoint);
}
