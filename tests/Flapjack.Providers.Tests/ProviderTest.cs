using Flapjack.Runtime.Models;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

public enum Protocol { Responses, ChatCompletions, Messages }

/// <summary>A fake upstream and clients to it, fresh for each test.</summary>
public abstract class ProviderTest : IAsyncLifetime
{
    internal ManualTime Time { get; } = new();
    protected FakeUpstream Upstream { get; private set; } = null!;
    protected ChatClients Clients { get; private set; } = null!;
    protected virtual ProviderOptions Options => new();

    protected static ChatMessage[] Hello => [new(ChatRole.User, "Hello")];

    public static TheoryData<Protocol> EachProtocol => [Protocol.Responses, Protocol.ChatCompletions, Protocol.Messages];

    public async ValueTask InitializeAsync()
    {
        Upstream = await FakeUpstream.StartAsync();
        Clients = new(Time, Options);
    }

    public async ValueTask DisposeAsync()
    {
        Clients.Dispose();
        await Upstream.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected ModelEndpoint Endpoint(Protocol protocol) => protocol switch
    {
        Protocol.Responses => new() { Provider = "openai", Kind = ProviderKinds.OpenAI, ModelId = "gpt-5.4", BaseUrl = Upstream.OpenAI, ApiKey = "sk-test-0123456789", SupportsTemperature = false, KeepsReasoning = true },
        Protocol.ChatCompletions => new() { Provider = "local", Kind = ProviderKinds.OpenAICompatible, ModelId = "llama", Id = "local/llama", BaseUrl = Upstream.OpenAI, ApiKey = "sk-test-0123456789" },
        _ => new() { Provider = "anthropic", Kind = ProviderKinds.Anthropic, ModelId = "claude-sonnet-4-6", BaseUrl = Upstream.Anthropic, ApiKey = "sk-test-0123456789", SupportsThinking = true },
    };

    protected IChatClient Client(Protocol protocol) => Clients.For(Endpoint(protocol));

    protected static Task<List<ChatResponseUpdate>> ReadAsync(IChatClient client, IEnumerable<ChatMessage>? messages = null, ChatOptions? options = null) =>
        ReadAllAsync(client, messages, options).WaitAsync(ManualTime.Patience);

    private static async Task<List<ChatResponseUpdate>> ReadAllAsync(IChatClient client, IEnumerable<ChatMessage>? messages, ChatOptions? options)
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in client.GetStreamingResponseAsync(messages ?? Hello, options, TestContext.Current.CancellationToken))
        {
            updates.Add(update);
        }
        return updates;
    }

    /// <summary>Reads until the fault; the text seen before it comes along.</summary>
    protected static async Task<(string Text, ModelException Fault)> ReadFaultAsync(IChatClient client, IEnumerable<ChatMessage>? messages = null)
    {
        var text = "";
        var fault = await Should.ThrowAsync<ModelException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(messages ?? Hello, null, TestContext.Current.CancellationToken))
            {
                text += update.Text;
            }
        }).WaitAsync(ManualTime.Patience);
        return (text, fault);
    }
}
