using System.Text.Json;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Threads;

/// <summary>A server whose tools and model providers tests control. As a class fixture one serves a class.</summary>
public sealed class TurnWorld : IAsyncLifetime
{
    public const string OpenAI = "gpt-5.4", Claude = "claude-sonnet-4-6";

    private Action<IDictionary<string, string?>>? _settings;
    private Action<IServiceCollection>? _services;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ServerFixture Server { get; private set; } = null!;

    public FakeUpstream Upstream { get; private set; } = null!;

    internal TestTools Tools { get; } = new();

    /// <summary>A world of a test's own, because it moves time, restarts or has settings.</summary>
    public static async Task<TurnWorld> StartAsync(Action<IDictionary<string, string?>>? settings = null, Action<IServiceCollection>? services = null)
    {
        var world = new TurnWorld { _settings = settings, _services = services };
        await world.InitializeAsync();
        return world;
    }

    public async ValueTask InitializeAsync()
    {
        Upstream = await FakeUpstream.StartAsync();
        Server = await ServerFixture.StartAsync(settings =>
        {
            settings["Providers:openai:ApiKey"] = "sk-test";
            settings["Providers:openai:BaseUrl"] = Upstream.OpenAI.ToString();
            settings["Providers:anthropic:ApiKey"] = "sk-ant-test";
            settings["Providers:anthropic:BaseUrl"] = Upstream.Anthropic.ToString();
            _settings?.Invoke(settings);
        }, services =>
        {
            services.AddSingleton<IToolSource>(Tools);
            _services?.Invoke(services);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    /// <summary>A thread with a new agent of this model.</summary>
    public async Task<Guid> OpenAsync(string model = "flapjack-offline", object? agent = null, object? thread = null)
    {
        var agentId = await Server.CreateAgentAsync("Ada", Merge(new { defaultModel = model }, agent));
        return await Server.CreateThreadAsync(agentId, thread);
    }

    public async Task<JsonElement> GetAsync(string path, HttpClient? client = null) => await (client ?? Server.Client).GetAsync(path, Token).ShouldBe(200);

    public Task<JsonElement> ThreadAsync(Guid thread) => GetAsync($"/api/threads/{thread}");

    public async Task<List<JsonElement>> MessagesAsync(Guid thread, string query = "") => [.. (await GetAsync($"/api/threads/{thread}/messages{query}")).GetProperty("messages").EnumerateArray()];

    /// <summary>The newest trace of a thread with its spans.</summary>
    public async Task<JsonElement> TraceAsync(Guid thread)
    {
        var list = await GetAsync($"/api/logs?threadId={thread}");
        return await GetAsync($"/api/logs/{list.GetProperty("traces")[0].GetProperty("id").GetString()}");
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body, HttpClient? client = null) => (client ?? Server.Client).PostAsync(path, Body(body), Token);

    public Task<HttpResponseMessage> PatchAsync(string path, object body) => Server.Client.PatchAsync(path, Body(body), Token);

    public async Task<JsonElement> StopAsync(Guid thread) => await Server.Client.PostAsync($"/api/threads/{thread}/stop", null, Token).ShouldBe(200);

    /// <summary>Sends and opens the stream of the answer.</summary>
    public async Task<EventStream> SendAsync(Guid thread, object message, HttpClient? client = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{thread}/messages") { Content = Body(message) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await EventStream.OpenAsync(await (client ?? Server.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token));
    }

    /// <summary>Attaches to the thread's stream.</summary>
    public async Task<EventStream> AttachAsync(Guid thread, string? last = null, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/threads/{thread}/stream");
        if (last is not null) request.Headers.Add("Last-Event-ID", last);
        return await EventStream.OpenAsync(await (client ?? Server.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token));
    }

    public static StringContent Body(object body) => JsonText.Content(body as string ?? JsonSerializer.Serialize(body));

    private static JsonElement Merge(object first, object? second)
    {
        var node = JsonSerializer.SerializeToNode(first)!.AsObject();
        if (second is not null) foreach (var (name, value) in JsonSerializer.SerializeToNode(second)!.AsObject()) node[name] = value?.DeepClone();
        return JsonSerializer.SerializeToElement(node);
    }
}

/// <summary>A stream that a test reads event by event.</summary>
public sealed class EventStream : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly IAsyncEnumerator<ServerEvent> _events;

    private EventStream(HttpResponseMessage response)
    {
        _response = response;
        _events = ServerFixture.ReadEventsAsync(response).GetAsyncEnumerator(TestContext.Current.CancellationToken);
    }

    /// <summary>All events read so far.</summary>
    public List<ServerEvent> Seen { get; } = [];

    public HttpResponseMessage Response => _response;

    public static async Task<EventStream> OpenAsync(HttpResponseMessage response)
    {
        if ((int)response.StatusCode != 200) await response.ShouldBeAsync(200);
        return new(response);
    }

    public async Task<ServerEvent> NextAsync()
    {
        (await _events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).ShouldBeTrue("the stream ended after: " + string.Join(", ", Seen.Select(e => e.Event)));
        Seen.Add(_events.Current);
        return _events.Current;
    }

    public async Task<ServerEvent> UntilAsync(string type)
    {
        while (true)
        {
            var next = await NextAsync();
            if (next.Event == type) return next;
        }
    }

    /// <summary>Everything to the end, whatever that is.</summary>
    public async Task DrainAsync()
    {
        while (await _events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)) Seen.Add(_events.Current);
    }

    /// <summary>Everything to the end; checks that the stream is well formed and gives its terminal event.</summary>
    public async Task<ServerEvent> EndAsync(long firstSequence = 1)
    {
        await DrainAsync();
        Seen.ShouldBeWellFormed(firstSequence);
        return Seen[^1];
    }

    public async ValueTask DisposeAsync()
    {
        _response.Dispose();
        try
        {
            await _events.DisposeAsync();
        }
        catch (NotSupportedException)
        {
            // A read is under way; its connection is gone with the response.
        }
    }
}

/// <summary>The rules that hold for every stream.</summary>
internal static class EventRules
{
    private static readonly string[] Terminal = ["done", "error", "requires_action"];

    public static void ShouldBeWellFormed(this IReadOnlyList<ServerEvent> events, long firstSequence = 1)
    {
        var told = string.Join(", ", events.Select(e => e.Event));
        events[0].Event.ShouldBe("meta", told);
        events.Count(e => e.Event == "meta").ShouldBe(1, told);
        events.Count(e => Terminal.Contains(e.Event)).ShouldBe(1, told);
        Terminal.ShouldContain(events[^1].Event, told);
        var turn = events[0].Data.GetProperty("turnId").GetString();
        for (var i = 0; i < events.Count; i++) events[i].Id.ShouldBe($"{turn}:{firstSequence + i}");
    }

    public static string Deltas(this IEnumerable<ServerEvent> events) => string.Concat(events.Where(e => e.Event == "token").Select(e => e.Data.GetProperty("delta").GetString()));

    public static IEnumerable<JsonElement> Of(this IEnumerable<ServerEvent> events, string type) => events.Where(e => e.Event == type).Select(e => e.Data);

}
