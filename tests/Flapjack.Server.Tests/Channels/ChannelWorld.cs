using System.Globalization;
using System.Text.Json;
using System.Text;
using Flapjack.Server.Channels.Slack;
using Flapjack.Server.Channels.Telegram;
using Flapjack.Server.Channels.WhatsApp;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Channels;

/// <summary>A server, providers that it talks to, and people who write to its channels.</summary>
public sealed class ChannelWorld : IAsyncLifetime
{
    private static int s_next;
    private Action<IDictionary<string, string?>>? _settings;

    public TurnWorld World { get; private set; } = null!;

    public FakeProviders Providers { get; private set; } = null!;

    public ServerFixture Server => World.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<ChannelWorld> StartAsync(Action<IDictionary<string, string?>>? settings = null)
    {
        var world = new ChannelWorld { _settings = settings };
        await world.InitializeAsync();
        return world;
    }

    public async ValueTask InitializeAsync()
    {
        Providers = await FakeProviders.StartAsync();
        World = await TurnWorld.StartAsync(settings =>
        {
            settings["Server:PublicUrl"] = "https://flapjack.example.com";
            settings["Channels:TelegramUrl"] = Providers.Url + "/telegram";
            settings["Channels:SlackUrl"] = Providers.Url + "/slack";
            settings["Channels:WhatsAppUrl"] = Providers.Url + "/graph";
            settings["Network:AllowedHosts:0"] = "loopback";
            _settings?.Invoke(settings);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await World.DisposeAsync();
        await Providers.DisposeAsync();
    }

    /// <summary>A person or chat nobody else is.</summary>
    public static string NewContact() => (700_000 + Interlocked.Increment(ref s_next)).ToString(CultureInfo.InvariantCulture);

    public static object CredentialsOf(string kind) => kind switch
    {
        "telegram" => new { botToken = FakeProviders.BotToken },
        "slack" => new { botToken = FakeProviders.SlackToken, signingSecret = "slack-signing-secret" },
        "whatsapp" => new { accessToken = FakeProviders.GraphToken, phoneNumberId = FakeProviders.Number, appSecret = "app-secret", verifyToken = "verify-me" },
        _ => new { secret = FakeProviders.Secret },
    };

    public object ConfigOf(string kind) => kind == "webhook" ? new { outboundUrl = Providers.Url + "/app" } : new { };

    /// <summary>A channel with an agent of its own, which answers with the offline model.</summary>
    public async Task<TestChannel> OpenAsync(string kind, object? config = null, Guid? agent = null)
    {
        var id = agent ?? await Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var all = JsonSerializer.SerializeToNode(ConfigOf(kind))!.AsObject();
        if (config is not null) foreach (var (name, value) in JsonSerializer.SerializeToNode(config)!.AsObject()) all[name] = value?.DeepClone();
        var created = await World.PostAsync($"/api/agents/{id}/channels", new { kind, config = all, credentials = CredentialsOf(kind) }).ShouldBe(201);
        return new(this, kind, id, created.GetProperty("id").GetGuid(), new Uri(created.Text("webhook_url")).AbsolutePath, kind == "telegram" ? Providers.Hook?.Secret : null);
    }

    /// <summary>Waits until somebody was sent so many messages, and gives all they were sent.</summary>
    public async Task<IReadOnlyList<string>> ToAsync(string contact, int count = 1)
    {
        await UntilAsync($"{contact} got {count} messages", () => Task.FromResult(Providers.To(contact).Count >= count));
        return Providers.To(contact);
    }

    public Task UntilAsync(string what, Func<Task<bool>> isSo) =>
        PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), what, isSo, () => string.Join('\n', Providers.All.Select(d => $"{d.To}: {d.Text}")) + LogRecorder.LatestErrors);
}

/// <summary>A channel, and how its provider would send to it.</summary>
public sealed record TestChannel(ChannelWorld World, string Kind, Guid Agent, Guid Id, string Hook, string? Secret)
{
    private static int s_update = 1_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public string Path => $"/api/agents/{Agent}/channels/{Id}";

    public Task<JsonElement> ReadAsync() => World.World.GetAsync(Path);

    public async Task<List<JsonElement>> ContactsAsync(string query = "") => [.. (await World.World.GetAsync($"{Path}/contacts{query}")).EnumerateArray()];

    public async Task<JsonElement> ContactAsync(string external) => (await ContactsAsync()).Single(c => c.Text("external_id") == external);

    /// <summary>A text of a person, as the provider of this channel sends it, taken with 200.</summary>
    public async Task SayAsync(string from, string text, string? id = null) => await SendAsync(MessageOf(from, text, id ?? NewId())).ShouldBe(200);

    public static string NewId() => Interlocked.Increment(ref s_update).ToString(CultureInfo.InvariantCulture);

    public object MessageOf(string from, string text, string id) => Kind switch
    {
        "telegram" => Telegram(id, new { message_id = 7, from = new { id = long.Parse(from, CultureInfo.InvariantCulture), is_bot = false, first_name = "Grace", last_name = "Hopper" }, chat = new { id = long.Parse(from, CultureInfo.InvariantCulture), type = "private" }, text }),
        "slack" => new { type = "event_callback", event_id = "Ev" + id, @event = new { type = "message", channel_type = "im", user = from, channel = from, ts = id, text } },
        "whatsapp" => WhatsApp(from, new { from, id, type = "text", text = new { body = text } }),
        _ => new { id, from, text },
    };

    public static object Telegram(string id, object message) => new { update_id = long.Parse(id, CultureInfo.InvariantCulture), message };

    public static object WhatsApp(string from, params object[] messages) => new
    {
        @object = "whatsapp_business_account",
        entry = new[] { new { id = "1", changes = new[] { new { field = "messages", value = new { messaging_product = "whatsapp", metadata = new { phone_number_id = FakeProviders.Number }, contacts = new[] { new { wa_id = from, profile = new { name = "Grace" } } }, messages } } } } },
    };

    /// <summary>A request of the provider, signed as it signs.</summary>
    public Task<HttpResponseMessage> SendAsync(object body, Action<HttpRequestMessage>? change = null)
    {
        var bytes = Encoding.UTF8.GetBytes(body as string ?? JsonSerializer.Serialize(body));
        var request = new HttpRequestMessage(HttpMethod.Post, Hook) { Content = JsonText.Content(bytes, "application/json") };
        Sign(request, bytes, World.Server.Time.GetUtcNow().ToUnixTimeSeconds());
        change?.Invoke(request);
        return World.Server.Anonymous.SendAsync(request, Token);
    }

    public void Sign(HttpRequestMessage request, byte[] bytes, long now)
    {
        var timestamp = now.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in Kind switch
        {
            "telegram" => (IEnumerable<(string, string)>)[(TelegramProvider.SecretHeader, Secret!)],
            "slack" => [(SlackProvider.TimestampHeader, timestamp), (SlackProvider.SignatureHeader, SlackProvider.Sign("slack-signing-secret", timestamp, bytes))],
            "whatsapp" => [(WhatsAppProvider.SignatureHeader, WhatsAppProvider.Sign("app-secret", bytes))],
            _ => [(RequestSignature.Signature, RequestSignature.OfBody(FakeProviders.Secret, bytes))],
        })
        {
            request.Headers.Remove(name);
            request.Headers.Add(name, value);
        }
    }
}
