using System.Text;
using System.Text.Json.Nodes;

namespace Flapjack.Client.Tests;

/// <summary>A running server, a relay before it and a client that goes through the relay.</summary>
public sealed class ClientWorld : IAsyncLifetime
{
    private RunningServer _server = null!;
    private SocketsHttpHandler _handler = null!;
    private HttpClient _http = null!;

    internal CuttingRelay Relay { get; private set; } = null!;

    internal FlapjackClient Client { get; private set; } = null!;

    internal HttpClient Http => _http;

    internal Uri Address => _server.Address;

    private Guid AgentId { get; set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.StartAsync();
        Relay = new(_server.Address);
        _handler = new() { UseProxy = false };
        _http = new(_handler) { BaseAddress = Relay.Address };
        Client = New(new());
        AgentId = await NewAgentAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Relay.Dispose();
        _http.Dispose();
        _handler.Dispose();
        await _server.DisposeAsync();
    }

    internal FlapjackClient New(FlapjackClientOptions options) => new(_http, options with { ApiKey = RunningServer.ApiKey, RetryDelay = TimeSpan.FromMilliseconds(20) });

    internal async Task<Guid> NewAgentAsync() => (await Client.CreateAgentAsync(new() { Name = "Ada", DefaultModel = "flapjack-offline" }, Token)).Id;

    /// <summary>A thread; the next request opens a connection of its own.</summary>
    internal async Task<Guid> NewThreadAsync(Guid? agent = null)
    {
        var thread = await Client.CreateThreadAsync(new() { AgentId = agent ?? AgentId }, Token);
        Relay.CutAll();
        return thread.Id;
    }

    /// <summary>What a user interface would show.</summary>
    internal static async Task<(List<FlapjackEvent> Seen, string Text)> FollowAsync(IAsyncEnumerable<FlapjackEvent> events, Func<FlapjackEvent, Task>? onEvent = null)
    {
        var (seen, text) = (new List<FlapjackEvent>(), new StringBuilder());
        await foreach (var @event in events.WithCancellation(Token))
        {
            seen.Add(@event);
            if (@event is TokenEvent token) text.Append(token.Delta);
            if (@event is RestartEvent restart) text.Clear().Append(restart.Content);
            if (onEvent is not null) await onEvent(@event);
        }
        return (seen, text.ToString());
    }

    internal static ClientToolRequest Tool(string name) => new() { Name = name, Description = "A tool", Parameters = new JsonObject { ["type"] = "object" } };

    internal static string Counted(int end) => string.Join(' ', Enumerable.Range(1, end));

    internal static void ShouldBeWhole(List<FlapjackEvent> seen)
    {
        seen.ShouldNotContain(@event => @event is RestartEvent);
        seen.Select(@event => @event.Id.Split(':')[1]).ShouldBe(Enumerable.Range(1, seen.Count).Select(number => $"{number}"), "every event once, in order");
    }
}
