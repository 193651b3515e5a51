using System.Collections.Frozen;
using System.Net.Http.Headers;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Anthropic;

/// <summary>Anthropic's Messages API, also as other servers speak it.</summary>
internal sealed class MessagesChatClient(ModelEndpoint endpoint, ModelTransport transport, AnthropicBetas betas)
    : WireChatClient(endpoint, AddressOf(endpoint), transport)
{
    private static readonly Uri VendorAddress = new("https://api.anthropic.com");
    private static readonly FrozenSet<string> StrictKeywords = StrictSchema.Keywords();

    protected override void WriteRequest(Utf8JsonWriter json, IReadOnlyList<ChatMessage> messages, ChatOptions? options) =>
        new MessagesRequest(json, Endpoint, options, Thinking.BudgetOf(Endpoint, messages, options), CompactionOf(options)).Write(messages);

    // The vendor enforces schemas of its subset only and has no mode for JSON of any form; servers that speak its protocol mostly have neither.
    protected override bool TakesFormat(ChatResponseFormatJson format, ChatOptions options) =>
        Endpoint.Kind == ProviderKinds.Anthropic && format.Schema is { } schema && StrictSchema.Holds(options, schema, StrictKeywords);

    protected override void AddHeaders(HttpRequestHeaders headers, IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        if (!string.IsNullOrEmpty(Endpoint.ApiKey))
        {
            headers.Add("x-api-key", Endpoint.ApiKey);
        }
        headers.Add("anthropic-version", "2023-06-01");
        if (Endpoint.LongContextBeta && betas.LongContext.Length > 0)
        {
            headers.Add("anthropic-beta", betas.LongContext);
        }
        if (betas.InterleavedThinking.Length > 0 && Thinking.BudgetOf(Endpoint, messages, options) is not null)
        {
            headers.Add("anthropic-beta", betas.InterleavedThinking);
        }
        if (CompactionOf(options) is not null)
        {
            headers.Add("anthropic-beta", betas.Compaction);
        }
    }

    private AnthropicCompaction? CompactionOf(ChatOptions? options) => Endpoint.SupportsCompaction && betas.Compaction.Length > 0 ? ModelSettings.Of(options).Anthropic.Compaction : null;

    protected override AnswerReader NewReader() => new MessagesReader(Endpoint);

    // This protocol's base addresses usually come without the version, but both forms are about.
    private static Uri AddressOf(ModelEndpoint endpoint)
    {
        var root = endpoint.BaseUrl ?? (endpoint.Kind == ProviderKinds.Anthropic
            ? VendorAddress
            : throw new ArgumentException("A compatible provider needs a base address.", nameof(endpoint)));
        return Join(root, root.AbsolutePath.TrimEnd('/').EndsWith("/v1", StringComparison.Ordinal) ? "messages" : "v1/messages");
    }
}
