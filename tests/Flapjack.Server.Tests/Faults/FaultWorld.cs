using System.Text.Json;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Faults;

/// <summary>The three protocols a server speaks to providers.</summary>
public enum Protocol { Responses, ChatCompletions, Messages }

/// <summary>A server whose providers are all one scripted upstream, configured server-wide as an operator would.</summary>
public sealed class FaultWorld : IAsyncLifetime
{
    public const string ProviderKey = "sk-fault-0123456789abcdef0123456789abcdef";

    // Exactly one second is something else: the rest a provider is given after its end marker.
    private static readonly (TimeSpan Min, TimeSpan Max) RetryWait = (TimeSpan.FromSeconds(1) + TimeSpan.FromTicks(1), TimeSpan.FromSeconds(30));

    public FakeUpstream Upstream { get; private set; } = null!;

    public ServerFixture Server { get; private set; } = null!;

    public ManualTime Time => Server.Time;

    public static string ModelOf(Protocol protocol) => protocol switch
    {
        Protocol.Responses => "gpt-5.4",
        Protocol.ChatCompletions => "compat/fake",
        _ => "claude-haiku-4-5",
    };

    public async ValueTask InitializeAsync()
    {
        Upstream = await FakeUpstream.StartAsync();
        Server = await ServerFixture.StartAsync(settings =>
        {
            // Silence is driven in steps of two minutes; the turn's own deadline is another test's matter.
            settings["Turns:TimeoutSeconds"] = "86400";
            Provider("openai", null, Upstream.OpenAI);
            Provider("anthropic", null, Upstream.Anthropic);
            Provider("compat", "openai_compatible", Upstream.OpenAI);
            settings["Providers:compat:Models:0:Id"] = "fake";
            settings["Providers:compat:Models:0:InputUsdPerMtok"] = "1";
            settings["Providers:compat:Models:0:OutputUsdPerMtok"] = "2";
            // Nobody listens at port 1.
            Provider("dead-responses", "openai", new("http://127.0.0.1:1/v1"));
            Provider("dead-chatcompletions", "openai_compatible", new("http://127.0.0.1:1/v1"));
            Provider("dead-messages", "anthropic", new("http://127.0.0.1:1"));

            void Provider(string name, string? kind, Uri address)
            {
                if (kind is not null) settings[$"Providers:{name}:Kind"] = kind;
                settings[$"Providers:{name}:BaseUrl"] = address.ToString();
                settings[$"Providers:{name}:ApiKey"] = ProviderKey;
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    /// <summary>A thread whose agent uses the protocol's model.</summary>
    public async Task<Guid> ThreadAsync(Protocol protocol, string? model = null)
    {
        var agent = await Server.CreateAgentAsync("Ada", new { defaultModel = model ?? ModelOf(protocol), stablePreamble = "Be brief." });
        return await Server.CreateThreadAsync(agent);
    }

    /// <summary>Asks, and lets every wait between attempts pass the moment it begins. Gives the events and the waits.</summary>
    public async Task<(IReadOnlyList<ServerEvent> Events, IReadOnlyList<TimeSpan> Waits)> AskThroughRetriesAsync(Guid thread, string content = "hello", object? fields = null)
    {
        var asking = Server.AskAsync(thread, content, fields);
        var waits = new List<TimeSpan>();
        while (true)
        {
            var armed = Time.ArmedAsync(RetryWait.Min, RetryWait.Max);
            if (await Task.WhenAny(asking, armed).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken) == asking) return (await asking, waits);
            waits.Add(await armed);
            Time.Advance(await armed);
        }
    }

    /// <summary>The stored messages, oldest first.</summary>
    public async Task<IReadOnlyList<JsonElement>> MessagesAsync(Guid thread) =>
        [.. (await Server.Client.GetAsync($"/api/threads/{thread}/messages", TestContext.Current.CancellationToken).ShouldBe(200)).GetProperty("messages").EnumerateArray()];

    /// <summary>The thread goes on after a fault: a further message is answered, and what the provider is sent is a conversation it would take.</summary>
    public async Task ShouldGoOnAsync(Guid thread, Protocol protocol, params string[] remembered)
    {
        Upstream.Forget();
        Upstream.Reply(Script.Text("fine", " now"));
        var events = await Server.AskAsync(thread, "and now?");
        events[^1].Event.ShouldBe("done", events[^1].Data.ToString());
        events[^1].Data.GetProperty("content").GetString().ShouldBe("fine now");
        var sent = Conversation.Of(Upstream.LastRequest.Body, protocol);
        sent.ShouldBeValid();
        // Messages takes neighbours of one role as one entry.
        sent.Entries[^1].Text.ShouldEndWith("and now?");
        foreach (var text in remembered) sent.Entries.ShouldContain(entry => entry.Text.Contains(text, StringComparison.Ordinal), Upstream.LastRequest.Body.ToString());
    }
}

/// <summary>A conversation as a provider was sent it: who says what.</summary>
internal sealed record Conversation(IReadOnlyList<(string Role, string Text)> Entries)
{
    public static Conversation Of(JsonElement body, Protocol protocol)
    {
        var entries = new List<(string, string)>();
        foreach (var item in body.GetProperty(protocol == Protocol.Responses ? "input" : "messages").EnumerateArray())
        {
            var role = item.TryGetProperty("role", out var r) ? r.GetString()! : item.GetProperty("type").GetString()!;
            entries.Add((role, item.TryGetProperty("content", out var content) ? TextOf(content) : item.ToString()));
        }
        return new(entries);
    }

    /// <summary>What every provider insists on: nobody says nothing, and the last word is not the model's.</summary>
    public void ShouldBeValid()
    {
        Entries.ShouldNotBeEmpty();
        Entries.ShouldAllBe(entry => entry.Text.Length > 0);
        Entries[^1].Role.ShouldBe("user");
        Entries.First(entry => entry.Role is not ("system" or "developer")).Role.ShouldBe("user");
        Entries.ShouldNotContain(entry => entry.Text.Contains("tool_use", StringComparison.Ordinal) || entry.Role == "function_call");
    }

    private static string TextOf(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => content.GetString()!,
        JsonValueKind.Array => string.Concat(content.EnumerateArray().Select(part => part.TryGetProperty("text", out var text) ? text.GetString() : part.ToString())),
        _ => "",
    };
}
